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

// knownTags are the properties of CAA that CAs know, so that their critical flag forbids nothing: RFC 8659 §4, RFC
// 9495, and the contacts of the CA/Browser Forum's Baseline Requirements, appendix A.
var knownTags = []string{tagIssue, tagIssueWild, "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}

// CheckCAA refuses a name, which may begin with "*.", if its CAA records (RFC 8659) allow none of the identities in
// allowed. The refusal tells people to add the first of these identities. If allowed is empty, CheckCAA asks nobody and
// refuses nothing. It ignores parameters after an identity, such as accounturi: only the CA knows what they mean.
func (c *SelfCheck) CheckCAA(ctx context.Context, name string, allowed []string) error {
	if len(allowed) == 0 {
		return nil
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	host, isWildcard := strings.CutPrefix(CanonicalName(name), "*.")
	// Only the nearest records, at the name or above it, count, even if they say nothing about issuing. The search goes
	// on up to the top-level domain, since registries may have records, too.
	for at := host; at != ""; _, at, _ = strings.Cut(at, ".") {
		reply, err := c.askAny(ctx, at, dns.TypeCAA)
		if err != nil {
			return fmt.Errorf("whether CAA allows a certificate for %q cannot be checked, and a CA that cannot "+
				"check must not issue: %w", name, err)
		}
		if found := caaOf(reply); len(found) > 0 {
			return c.judge(ctx, at, found, isWildcard, allowed)
		}
	}
	return nil
}

// Returns the wildcard that DNS made these CAA records of a name up from, or "" if somebody wrote them at the name.
// Asks for the name "*" below each parent, going up: every answer is the same up to the wildcard itself, which is the
// last to give it. Asks one question for each label of the name at most, and is called only for names that are refused.
// Records that were written at the name, equal to those of a wildcard beside it, are taken for the wildcard's: after a
// person has changed the wildcard, as told, the next refusal tells of those at the name.
func (c *SelfCheck) wildcardOf(ctx context.Context, at string, records []*dns.CAA) string {
	found := ""
	for _, parent, _ := strings.Cut(at, "."); parent != "" && !RegistryOwned(parent); _, parent,
		_ = strings.Cut(parent, ".") {
		reply, err := c.askAny(ctx, "*."+parent, dns.TypeCAA)
		if err != nil || !sameSet(records, caaOf(reply)) {
			break
		}
		found = "*." + parent
	}
	return found
}

// Returns the CAA records of a reply, whichever name they are at: if the name is a CNAME, its target's records count.
func caaOf(reply *dns.Msg) []*dns.CAA {
	var found []*dns.CAA
	for _, rr := range reply.Answer {
		if caa, ok := rr.(*dns.CAA); ok {
			found = append(found, caa)
		}
	}
	return found
}

func sameSet(a, b []*dns.CAA) bool {
	texts := func(records []*dns.CAA) []string {
		var texts []string
		for _, r := range records {
			texts = append(texts, fmt.Sprint(r.Flag, " ", r.Tag, " ", r.Value))
		}
		slices.Sort(texts)
		return texts
	}
	return slices.Equal(texts(a), texts(b))
}

// Judges the CAA records that DNS gave for the name at. The refusal says where a person has to change them.
func (c *SelfCheck) judge(ctx context.Context, at string, records []*dns.CAA, isWildcard bool, allowed []string) error {
	cause, remedy := refusal(records, isWildcard, allowed)
	if cause == "" {
		return nil
	}
	place := fmt.Sprintf("%q", at)
	if owner := CanonicalName(records[0].Hdr.Name); owner != at {
		place += fmt.Sprintf(" (a CNAME to %q)", owner)
	} else if wildcard := c.wildcardOf(ctx, at, records); wildcard != "" {
		place = fmt.Sprintf("%q, which answers for %q,", wildcard, at)
		remedy += fmt.Sprintf(" there, since a record at %q would hide what the wildcard answers for it", at)
	}
	return &Problem{fmt.Sprintf("CAA at %s %s: %s", place, cause, remedy)}
}

// Returns what keeps the records from allowing any of these identities, and what to do about that. Both are empty if
// nothing does.
func refusal(records []*dns.CAA, isWildcard bool, allowed []string) (cause, remedy string) {
	issuers := map[string][]string{}
	for _, record := range records {
		tag := strings.ToLower(record.Tag)
		if record.Flag&criticalFlag != 0 && !slices.Contains(knownTags, tag) {
			return fmt.Sprintf("has the critical property %q, which forbids every CA that does not know it to issue",
				shorten([]string{tag})[0]), "delete it"
		}
		identity, _, _ := strings.Cut(record.Value, ";")
		issuers[tag] = append(issuers[tag], strings.ToLower(strings.TrimSpace(identity)))
	}
	tag := tagIssue
	if isWildcard && len(issuers[tagIssueWild]) > 0 {
		tag = tagIssueWild // it replaces issue for wildcards (RFC 8659 §4.3)
	}
	if len(issuers[tag]) == 0 ||
		slices.ContainsFunc(allowed, func(ca string) bool { return slices.Contains(issuers[tag], ca) }) {
		return "", ""
	}
	return "allows " + only(issuers[tag]), fmt.Sprintf("add 0 %s %q", tag, allowed[0])
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
