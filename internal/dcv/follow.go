// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// maxAliases bounds a chain of CNAMEs; resolvers give up at about as many.
const maxAliases = 8

// Follow returns where the record with this name has to stand: the end of the chain of CNAMEs that begins there, or the name itself.
// Both are canonical. It asks step by step, so that a target that does not exist yet is found as well. A *Problem means that DNS
// answered and the chain leads nowhere; any other error, that DNS could not be asked.
func (c *SelfCheck) Follow(ctx context.Context, fqdn string) (string, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	passed := []string{CanonicalName(fqdn)}
	for {
		at := passed[len(passed)-1]
		reply, err := c.askAny(ctx, at, dns.TypeCNAME)
		if err != nil {
			return "", err
		}
		target, isAlias := aliasTarget(reply, at)
		switch {
		case !isAlias:
			return at, nil
		case slices.Contains(passed, target):
			return "", &Problem{fmt.Sprintf("the CNAME at %q leads in a circle, by the CNAME from %q to %q: correct it", passed[0], at, target)}
		case len(passed) > maxAliases:
			return "", &Problem{fmt.Sprintf("the CNAME at %q leads to %q and on over more than %d CNAMEs: let it lead to the end at once", passed[0], at, maxAliases)}
		case RegistryOwned(target):
			return "", &Problem{fmt.Sprintf("the CNAME at %q leads to %q, where nobody can publish a record: correct it", passed[0], target)}
		}
		passed = append(passed, target)
	}
}

// aliasTarget compares the owner, since a resolver may add the rest of the chain.
func aliasTarget(reply *dns.Msg, name string) (target string, isAlias bool) {
	for _, rr := range reply.Answer {
		if alias, ok := rr.(*dns.CNAME); ok && CanonicalName(alias.Hdr.Name) == name {
			return CanonicalName(alias.Target), true
		}
	}
	return "", false
}

// FollowSolver presents a TXT record where a CNAME at its name leads, as people do who let another zone hold their validation records.
// A challenge that asks for a CNAME passes through: the CNAME that stands at that name is what is to be replaced, and no delegation.
type FollowSolver struct {
	Solver
	// SelfCheck is asked where the CNAME leads, and which zone a relative name belongs to.
	SelfCheck *SelfCheck
}

var _ Solver = (*FollowSolver)(nil)

// Present implements Solver. A record that was claimed once keeps its place, even if the CNAME has been changed since: it could not be
// cleaned up otherwise.
func (s *FollowSolver) Present(
	ctx context.Context, ch Challenge, prior *Record, claim func(context.Context, Record) error,
) (Record, error) {
	prepared, prior, err := Prepare(ch, prior)
	if err != nil || prepared.RecordType != "TXT" {
		return s.Solver.Present(ctx, ch, prior, claim) // which says what is wrong with it
	}
	target, err := s.target(ctx, ch, prior)
	if err != nil {
		return Record{}, err
	}
	if !isDelegated(ch, target) {
		return s.Solver.Present(ctx, ch, prior, claim)
	}
	followed := Challenge{Domain: target, RecordName: target, RecordType: ch.RecordType, RecordValue: ch.RecordValue, delegated: true}
	rec, err := s.Solver.Present(ctx, followed, prior, claim)
	if problem, ok := errors.AsType[*Problem](err); ok {
		err = &Problem{fmt.Sprintf("the record %q for %q is delegated by CNAME to %q: %s", ch.RecordName, ch.Domain, target, problem.Message)}
	}
	return rec, err
}

// target is where the record stands, or has to.
func (s *FollowSolver) target(ctx context.Context, ch Challenge, prior *Record) (string, error) {
	if prior != nil {
		return prior.FQDN, nil
	}
	zone := ""
	if !InFull(ch) {
		var err error
		if zone, err = s.SelfCheck.FindZone(ctx, ch.Domain); err != nil {
			return "", err
		}
	}
	return s.SelfCheck.Follow(ctx, RecordFQDN(ch, zone))
}

// isDelegated says that the target is not the name that CAS asked for, in whichever zone a relative name was meant.
func isDelegated(ch Challenge, target string) bool {
	for zone := CanonicalName(ch.Domain); strings.Contains(zone, "."); _, zone, _ = strings.Cut(zone, ".") {
		if RecordFQDN(ch, zone) == target {
			return false
		}
	}
	return true
}
