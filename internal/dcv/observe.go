// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

const (
	// maxSeen and maxSeenLength bound what strangers' records can put into our status.
	maxSeen       = 8
	maxSeenLength = 100
)

// Observation is what DNS shows at a record's name.
type Observation struct {
	// Visible says that every server that answered shows the record.
	Visible bool
	// Seen is what stands there instead, such as "TXT another-value" or "CNAME elsewhere.example.net": sorted, at most
	// eight, shortened. It is empty when nothing else is there, and when the record is visible.
	Seen []string
}

// Check looks whether DNS shows the record. A missing record is an Observation; an error means that it could not be
// looked for.
func (c *SelfCheck) Check(ctx context.Context, rec Record) (Observation, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	rrType := dns.StringToType[rec.Type]
	if rrType != dns.TypeTXT && rrType != dns.TypeCNAME {
		return Observation{}, &Problem{fmt.Sprintf("the record type %q cannot be checked, only TXT and CNAME: "+
			"check %q by hand", rec.Type, rec.FQDN)}
	}
	servers := c.resolvers()
	if c.Authoritative {
		var err error
		if servers, err = c.authorities(ctx, rec); err != nil {
			return Observation{}, err
		}
	}
	answers := ask(ctx, servers, rec.FQDN, rrType)
	var failures []error
	showing, others := 0, []string{}
	for range servers {
		a := <-answers
		if a.err != nil {
			failures = append(failures, a.err)
			continue
		}
		found, rest := compare(a.reply, rec)
		if found {
			showing++
		}
		others = append(others, rest...)
	}
	answered := len(servers) - len(failures)
	switch {
	case answered == 0:
		return Observation{}, noAnswer(rec.FQDN, rrType, failures)
	case showing == answered:
		return Observation{Visible: true}, nil
	default:
		return Observation{Seen: shorten(others)}, nil
	}
}

// Returns the servers of the record's zone, as host:port. Asks the resolvers for them, since the servers are not known
// yet.
func (c *SelfCheck) authorities(ctx context.Context, rec Record) ([]string, error) {
	// not rec.Zone: a provider may hold a zone that the world is not delegated to
	zone, err := c.FindZone(ctx, rec.FQDN)
	if err != nil {
		return nil, err
	}
	reply, err := c.askAny(ctx, zone, dns.TypeNS)
	if err != nil {
		return nil, err
	}
	port := c.AuthoritativePort
	if port == "" {
		port = "53"
	}
	var servers []string
	for _, rr := range reply.Answer {
		if ns, ok := rr.(*dns.NS); ok {
			servers = append(servers, net.JoinHostPort(strings.TrimSuffix(ns.Ns, "."), port))
		}
	}
	if len(servers) == 0 {
		return nil, &Problem{fmt.Sprintf("DNS names no name servers for the zone %q: check its delegation", zone)}
	}
	return servers, nil
}

// compare tells whether the reply shows the record, and what else it shows. A TXT record counts at whatever name it is:
// a resolver, like the CA, follows CNAMEs to the value.
func compare(reply *dns.Msg, rec Record) (found bool, others []string) {
	for _, rr := range reply.Answer {
		switch rr := rr.(type) {
		case *dns.TXT:
			value := strings.Join(rr.Txt, "") // one value, cut into strings of at most 255 bytes
			if rec.Type == "TXT" && value == Escaped(rec.Value) {
				found = true
			} else {
				others = append(others, "TXT "+value)
			}
		case *dns.CNAME:
			if rec.Type == "CNAME" && CanonicalName(rr.Target) == CanonicalName(rec.Value) {
				found = true
			} else {
				others = append(others, "CNAME "+CanonicalName(rr.Target))
			}
		}
	}
	return found, others
}

// Escaped returns a value with the escapes that the DNS library puts into what it reads.
func Escaped(value string) string {
	var out strings.Builder
	for _, b := range []byte(value) {
		switch {
		case b == '"' || b == '\\':
			out.WriteByte('\\')
			out.WriteByte(b)
		case b < ' ' || b > '~':
			fmt.Fprintf(&out, "\\%03d", b)
		default:
			out.WriteByte(b)
		}
	}
	return out.String()
}

func shorten(seen []string) []string {
	slices.Sort(seen)
	seen = slices.Compact(seen)
	seen = seen[:min(len(seen), maxSeen)]
	for i, s := range seen {
		if len(s) > maxSeenLength { // ASCII: the DNS library escapes everything else
			seen[i] = s[:maxSeenLength] + "…"
		}
	}
	return seen
}
