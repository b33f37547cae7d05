// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"strconv"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Returns false for an item that lacks what it must have, or has it in a form that cannot be read.
func (r *item) instance() (Instance, bool) {
	id, okID := ParseID(r.InstanceID)
	certificate, okCertificate := certificateID(r.CertificateID)
	singles, okSingles := rpc.Count(r.FullDomainCount)
	wildcards, okWildcards := rpc.Count(r.WildcardDomainCount)
	if !okID || r.Status == "" || !okCertificate || !okSingles || !okWildcards {
		return Instance{}, false
	}
	return Instance{
		ID:                   id,
		Name:                 r.CertificateName,
		Status:               Status(r.Status),
		CertificateStatus:    CertificateStatus(r.CertificateStatus),
		PendingResult:        rpc.Scrub(r.PendingResult),
		CertificateID:        certificate,
		CertIdentifier:       r.CertIdentifier,
		CertificateNotBefore: instant(r.CertificateNotBefore),
		CertificateNotAfter:  instant(r.CertificateNotAfter),
		Names:                names(r.Domain),
		CertificateNames:     names(r.CertificateDomain),
		Spec:                 r.Spec,
		Brand:                r.Brand,
		CertificateType:      r.CertificateType,
		Type:                 r.InstanceType,
		SingleNames:          singles,
		WildcardNames:        wildcards,
		KeyAlgorithm:         r.KeyAlgorithm,
		AutoReissue:          r.AutoReissue == enable,
		ResourceGroupID:      r.ResourceGroupID,
		BoughtAt:             instant(r.OrderStartTime),
		BoughtUntil:          instant(r.OrderEndTime),
		TermStart:            instant(r.InstanceStartTime),
		TermEnd:              instant(r.InstanceEndTime),
	}, true
}

// Reads the id of a certificate. CAS sends it as a number of 32 or 64 bits or as a string, and sends 0, "" or null if
// there is none.
func certificateID(s string) (id string, ok bool) {
	if s == "" || s == "0" {
		return "", true
	}
	parsed, ok := cas.ParseOrderID(s)
	return string(parsed), ok
}

// firstMillisecond is from where on a time is in milliseconds: as seconds, it would be more than thirty thousand years
// away.
const firstMillisecond = 1_000_000_000_000

// Reads a time since 1970, which the documents say is in seconds, and which is in milliseconds in their examples.
// Returns the zero time if there is none.
func instant(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0:
		return time.Time{}
	case n < firstMillisecond:
		return time.Unix(n, 0).UTC()
	default:
		return time.UnixMilli(n).UTC()
	}
}

// names reads a list that is separated by commas.
func names(s string) []string {
	var list []string
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			list = append(list, name)
		}
	}
	return list
}
