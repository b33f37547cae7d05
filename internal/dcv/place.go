// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// expectedLabel is the label that CAS has been seen to put before the validated name. CAS chooses the record's name,
// and tells it only after the order is paid for.
const expectedLabel = "_dnsauth"

// ExpectedChallenge returns what CAS will most likely ask for if this name is ordered. The name may begin with "*.".
func ExpectedChallenge(name string) Challenge {
	host := strings.TrimPrefix(CanonicalName(name), "*.")
	return Challenge{Domain: host, RecordName: expectedLabel + "." + host, RecordType: "TXT", RecordValue: "expected"}
}

// Placer is a Solver whose provider lists its zones. It can tell before anything is ordered where a record would go.
type Placer interface {
	// Place returns where Present would put the record of a challenge that nobody has claimed. It only reads. A
	// *Problem means that the record could not be put anywhere.
	Place(ctx context.Context, ch Challenge) (Record, error)
}

// CheckPlace refuses a record that would be put into a zone that does not serve its name, because DNS delegates the
// name to a deeper zone that the provider does not list. Nobody would ever see the record there. CheckPlace does not
// refuse a zone that DNS does not know or serves from elsewhere: only the CA can tell whether it sees the same DNS as
// we do. Nor does it refuse if the zone cannot be looked up: CheckDelegation tells whether DNS answers at all.
//
// It asks one question for each label between the record and its zone. If it finds a deeper zone and c.Authoritative is
// set, it asks three more, to learn whether the servers of the zone above know the deeper zone: our resolvers may have
// zones of their own below a public one, which the CA never sees.
func (c *SelfCheck) CheckPlace(ctx context.Context, rec Record) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	served, err := c.FindZone(ctx, rec.FQDN)
	written := CanonicalName(rec.Zone)
	if err != nil || served == written || !Within(served, written) || c.Authoritative &&
		!c.isCut(ctx, written, served) {
		return nil // nothing shows that the record would not be seen
	}
	return &Problem{fmt.Sprintf("DNS serves %q from the zone %q, and the record would be put into the zone %q, where "+
		"nobody looks for it: let the solver have the zone %q, choose another solver for this name, or delegate %q by "+
		"a CNAME to a zone of the solver, with cnameStrategy: Follow",
		rec.FQDN, served, written, served, rec.FQDN)}
}

// Says whether one of the zone's servers knows that a zone below it is delegated. A server that has both zones answers
// for the lower one.
func (c *SelfCheck) isCut(ctx context.Context, zone, below string) bool {
	servers, err := c.authorities(ctx, Record{FQDN: zone})
	if err != nil {
		return false
	}
	answers := ask(ctx, servers, below, dns.TypeNS)
	for range servers {
		if a := <-answers; a.err == nil && namesServers(a.reply, below) {
			return true
		}
	}
	return false
}

// Says whether the reply names the servers of this very zone: in its answer, or as those to ask instead.
func namesServers(reply *dns.Msg, zone string) bool {
	for _, section := range [][]dns.RR{reply.Answer, reply.Ns} {
		for _, rr := range section {
			if ns, ok := rr.(*dns.NS); ok && CanonicalName(ns.Hdr.Name) == zone {
				return true
			}
		}
	}
	return false
}
