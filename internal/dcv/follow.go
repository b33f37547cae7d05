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

// Follow returns where the record with this name has to stand: the end of the chain of CNAMEs that begins there, or the
// name itself. Both are canonical. It asks for one CNAME at a time, so that a target that does not exist yet is found,
// too. For each CNAME it asks once more whether DNS made it up from a wildcard: such a CNAME ends the chain. A *Problem
// means that DNS answered and the chain leads nowhere; any other error, that DNS could not be asked.
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
		}
		switch isMadeUp, err := c.isMadeUp(ctx, at, target); {
		case err != nil:
			return "", err
		case isMadeUp:
			return at, nil
		case slices.Contains(passed, target):
			return "", &Problem{fmt.Sprintf("the CNAME at %q leads in a circle, by the CNAME from %q to %q: correct it",
				passed[0], at, target)}
		case len(passed) > maxAliases:
			return "", &Problem{fmt.Sprintf("the CNAME at %q leads to %q and on over more than %d CNAMEs: let it "+
				"lead to the end at once", passed[0], at, maxAliases)}
		case RegistryOwned(target):
			return "", &Problem{fmt.Sprintf(
				"the CNAME at %q leads to %q, where nobody can publish a record: correct it", passed[0], target)}
		}
		passed = append(passed, target)
	}
}

// Says whether DNS made up the CNAME of this name from a wildcard. Nobody has delegated the name then, and a record
// written at the name takes the wildcard's place there. To find out, asks for the name "*" beside it: that has the same
// parent, and so the same wildcard above it, at whichever level. Below a wildcard, a CNAME that was written makes its
// parent exist, so that the wildcard does not answer for "*" there. In one case the two cannot be told apart: the
// wildcard is directly beside the name, and a CNAME written at the name leads where the wildcard's does. The CNAME is
// taken for the wildcard's then, and the solver refuses to put the record at the name, with a message that names the
// CNAME there.
func (c *SelfCheck) isMadeUp(ctx context.Context, name, target string) (bool, error) {
	_, parent, _ := strings.Cut(name, ".")
	beside := "*." + parent
	if name == beside {
		return false, nil
	}
	reply, err := c.askAny(ctx, beside, dns.TypeCNAME)
	if err != nil {
		return false, err
	}
	other, isAlias := aliasTarget(reply, beside)
	return isAlias && other == target, nil
}

// Returns the target of the name's own CNAME. Compares the owner, since a resolver may add the rest of the chain.
func aliasTarget(reply *dns.Msg, name string) (target string, isAlias bool) {
	for _, rr := range reply.Answer {
		if alias, ok := rr.(*dns.CNAME); ok && CanonicalName(alias.Hdr.Name) == name {
			return CanonicalName(alias.Target), true
		}
	}
	return "", false
}

// FollowSolver presents a TXT record where a CNAME at its name leads, for people who keep their validation records in
// another zone. A challenge that asks for a CNAME goes to Solver unchanged: a CNAME at that name delegates nothing, and
// has to be replaced.
type FollowSolver struct {
	Solver
	// SelfCheck is asked where the CNAME leads, and which zone a relative name belongs to.
	SelfCheck *SelfCheck
}

var _ interface {
	Solver
	Placer
} = (*FollowSolver)(nil)

// Present implements Solver. A record that was claimed once keeps its place, even if the CNAME has been changed since:
// it could not be cleaned up otherwise.
func (s *FollowSolver) Present(
	ctx context.Context, ch Challenge, prior *Record, claim func(context.Context, Record) error,
) (Record, error) {
	prepared, prior, err := Prepare(ch, prior)
	if err != nil || prepared.RecordType != "TXT" {
		return s.Solver.Present(ctx, ch, prior, claim) // if Prepare failed, Solver says why
	}
	followed, err := s.follow(ctx, ch, prior)
	if err != nil {
		return Record{}, err
	}
	rec, err := s.Solver.Present(ctx, followed, prior, claim)
	return rec, delegatedTo(followed, ch, err)
}

// Place implements Placer. If Solver is no Placer, it only checks that the chain of CNAMEs has an end, and returns a
// Record without Zone.
func (s *FollowSolver) Place(ctx context.Context, ch Challenge) (Record, error) {
	followed, err := s.follow(ctx, ch, nil)
	if err != nil {
		return Record{}, err
	}
	placer, ok := s.Solver.(Placer)
	if !ok {
		return Record{FQDN: CanonicalName(followed.RecordName), Type: ch.RecordType, Value: ch.RecordValue}, nil
	}
	rec, err := placer.Place(ctx, followed)
	return rec, delegatedTo(followed, ch, err)
}

// Returns the challenge to present: ch itself, or one at the name that the record is delegated to.
func (s *FollowSolver) follow(ctx context.Context, ch Challenge, prior *Record) (Challenge, error) {
	target, err := s.target(ctx, ch, prior)
	if err != nil || !isDelegated(ch, target) {
		return ch, err
	}
	return Challenge{Domain: target, RecordName: target, RecordType: ch.RecordType, RecordValue: ch.RecordValue,
		delegated: true}, nil
}

// Adds to a Problem that the record is delegated, and to which name: the Problem is about that name.
func delegatedTo(followed, ch Challenge, err error) error {
	problem, isProblem := errors.AsType[*Problem](err)
	if !followed.delegated || !isProblem {
		return err
	}
	return &Problem{fmt.Sprintf("the record %q for %q is delegated by CNAME to %q: %s", ch.RecordName, ch.Domain,
		followed.Domain, problem.Message)}
}

// Returns the full name at which the record stands or has to be put.
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

// Says whether target is another name than CAS asked for, in whichever zone CAS may have meant a relative name.
func isDelegated(ch Challenge, target string) bool {
	for zone := CanonicalName(ch.Domain); strings.Contains(zone, "."); _, zone, _ = strings.Cut(zone, ".") {
		if RecordFQDN(ch, zone) == target {
			return false
		}
	}
	return true
}
