// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

const (
	// criticalFlag says that a CA which does not know the property must not issue (RFC 8659 §4.1).
	criticalFlag = 128

	tagIssue     = "issue"
	tagIssueWild = "issuewild"
)

// knownTags are those whose critical flag refuses nothing: RFC 8659 §4, RFC 9495, and the contacts of the CA/Browser Forum's Baseline
// Requirements, appendix A.
var knownTags = []string{tagIssue, tagIssueWild, "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}

// CheckCAA refuses a name, which may begin with "*.", whose CAA records (RFC 8659) allow none of these identities. The first one is the
// one that the refusal tells people to add. Without any it asks nobody. Parameters after the identity, such as accounturi, are not
// judged: only the CA knows what they mean.
func (c *SelfCheck) CheckCAA(ctx context.Context, name string, allowed []string) error {
	if len(allowed) == 0 {
		return nil
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	host, isWildcard := strings.CutPrefix(CanonicalName(name), "*.")
	// The records nearest upwards count alone, even those that say nothing about issuing. Registries may have some, too.
	for at := host; at != ""; _, at, _ = strings.Cut(at, ".") {
		reply, err := c.askAny(ctx, at, dns.TypeCAA)
		if err != nil {
			return fmt.Errorf("whether CAA allows a certificate for %q cannot be checked, and a CA that cannot check must not issue: %w", name, err)
		}
		var found []*dns.CAA
		for _, rr := range reply.Answer { // under whatever owner they come: a CNAME's target speaks for the name
			if caa, ok := rr.(*dns.CAA); ok {
				found = append(found, caa)
			}
		}
		if len(found) > 0 {
			return judge(at, found, isWildcard, allowed)
		}
	}
	return nil
}

// judge applies the relevant set of records, which a question for this name gave.
func judge(at string, records []*dns.CAA, isWildcard bool, allowed []string) error {
	place := fmt.Sprintf("%q", at)
	if owner := CanonicalName(records[0].Hdr.Name); owner != at {
		place += fmt.Sprintf(" (a CNAME to %q)", owner)
	}
	issuers := map[string][]string{}
	for _, record := range records {
		tag := strings.ToLower(record.Tag)
		if record.Flag&criticalFlag != 0 && !slices.Contains(knownTags, tag) {
			return &Problem{fmt.Sprintf("CAA at %s has the critical property %q, which forbids every CA that does not know it to issue: delete it", place, shorten([]string{tag})[0])}
		}
		identity, _, _ := strings.Cut(record.Value, ";")
		issuers[tag] = append(issuers[tag], strings.ToLower(strings.TrimSpace(identity)))
	}
	tag := tagIssue
	if isWildcard && len(issuers[tagIssueWild]) > 0 {
		tag = tagIssueWild // it replaces issue for wildcards (RFC 8659 §4.3)
	}
	if len(issuers[tag]) == 0 || slices.ContainsFunc(allowed, func(ca string) bool { return slices.Contains(issuers[tag], ca) }) {
		return nil
	}
	return &Problem{fmt.Sprintf("CAA at %s allows %s: add 0 %s %q", place, only(issuers[tag]), tag, allowed[0])}
}

func only(issuers []string) string {
	issuers = shorten(slices.DeleteFunc(slices.Clone(issuers), func(s string) bool { return s == "" }))
	if len(issuers) == 0 {
		return "no CA"
	}
	for i, issuer := range issuers {
		issuers[i] = `"` + issuer + `"`
	}
	return "only " + strings.Join(issuers, ", ")
}
