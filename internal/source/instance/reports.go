// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
)

// told quotes what CAS tells people about an application. Nothing branches on it: the words are not known
// (docs/design/cas.md §4.4). Of one that has ended, the submission has a message of its own. Whether the credentials
// may read that message does not matter to the order. Beside these words stands that the certificate of the instance is
// for another key, if it isOthers.
func (s *session) told(ctx context.Context, seen *casinstance.Detail, hasEnded, isOthers bool) string {
	words := []string{seen.PendingResult}
	if hasEnded {
		if task, err := s.calls.Task(ctx, seen.ID); err == nil {
			words = append(words, task.Message)
		}
	}
	words = slices.Compact(slices.DeleteFunc(words, func(w string) bool {
		return w == "" || w == string(seen.Status) || w == string(seen.CertificateStatus)
	}))
	for i, word := range words {
		words[i] = fmt.Sprintf("%q", word)
	}
	if isOthers {
		words = append(words, "its instance has a certificate with another key now")
	}
	return strings.Join(words, " and ")
}

// changed tells what somebody else has changed on the instance since this order applied with it. The application goes
// on.
func (s *session) changed(seen *casinstance.Detail) (all []string) {
	if seen.AutoReissue {
		all = append(all, "hosting is switched on, so CAS may order a certificate with a key of its own, for a fee: "+
			"switch it off in the console of CAS, unless that is wanted")
	}
	if seen.UpgradeStatus == casinstance.UpgradePaid {
		all = append(all, "an upgrade to other numbers of names is paid for")
	}
	if !s.carries(&seen.Instance) {
		all = append(all, "it is for fewer names now than this order asks for")
	}
	// Which fields CAS tells varies: where there are no tags at all, they may only not be told.
	if len(seen.Tags) > 0 && len(seen.Tags) < maxTags && seen.Tags[tagCluster] != s.Cluster {
		all = append(all, "its tags are replaced, so another installation cannot tell whose application it is")
	}
	return all
}
