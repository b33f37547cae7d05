// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rfc2136

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// maxString is how long one of the strings of a TXT record can be (RFC 1035 §3.3).
const maxString = 255

// Place implements dcv.Placer. It asks the name server one question for each label between the names and their zones.
func (s *Solver) Place(ctx context.Context, ch dcv.Challenge) (dcv.Record, error) {
	return s.locate(ctx, ch, nil)
}

// locate says where the record belongs. A record that was claimed once keeps its place.
func (s *Solver) locate(ctx context.Context, ch dcv.Challenge, prior *dcv.Record) (dcv.Record, error) {
	rec := dcv.Record{Type: ch.RecordType, Value: ch.RecordValue}
	if prior != nil {
		rec.FQDN, rec.Zone = prior.FQDN, prior.Zone
		return rec, nil
	}
	zone, err := s.zone(ctx, dcv.CanonicalName(ch.Domain))
	if err != nil {
		return dcv.Record{}, err
	}
	rec.FQDN = dcv.RecordFQDN(ch, zone)
	// The record's own name may belong to a deeper zone than the validated name, and only the deeper zone takes it.
	rec.Zone, err = s.zone(ctx, rec.FQDN)
	return rec, err
}

// zone asks the server itself which of its zones holds the name: it may have zones that the world is not delegated to.
func (s *Solver) zone(ctx context.Context, name string) (string, error) {
	for zone := name; zone != ""; _, zone, _ = strings.Cut(zone, ".") {
		reply, err := s.ask(ctx, zone, dns.TypeSOA)
		if err != nil {
			return "", err
		}
		if !reply.Authoritative {
			continue
		}
		for _, rr := range reply.Answer {
			if soa, ok := rr.(*dns.SOA); ok && dcv.CanonicalName(soa.Hdr.Name) == zone {
				return zone, nil
			}
		}
	}
	return "", &dcv.Problem{Message: fmt.Sprintf("the name server %s has no zone that holds %q: name the one that "+
		"takes updates for it, or choose another solver for this name",
		s.server, name)}
}

// Says whether the record stands on the server. Returns a Problem for a record in the way. A server would ignore an
// update with a TXT record beside a CNAME (RFC 2136 §3.4.2.2); the Problem names the CNAME's target.
func (s *Solver) lookup(ctx context.Context, rec dcv.Record) (stands bool, err error) {
	rrType := dns.StringToType[rec.Type]
	reply, err := s.ask(ctx, rec.FQDN, rrType)
	if err != nil {
		return false, err
	}
	want, err := resource(rec)
	if err != nil {
		return false, err
	}
	for _, rr := range reply.Answer {
		if dcv.CanonicalName(rr.Header().Name) != rec.FQDN {
			continue
		}
		if isSame(rr, want) {
			return true, nil
		}
		if alias, ok := rr.(*dns.CNAME); ok {
			return false, aliasInTheWay(rec, dcv.CanonicalName(alias.Target))
		}
	}
	if rec.Type == "CNAME" {
		return false, s.othersInTheWay(ctx, rec)
	}
	return false, nil
}

// Returns a Problem if TXT records are where a CNAME is wanted: a CNAME cannot stand beside other records.
func (s *Solver) othersInTheWay(ctx context.Context, rec dcv.Record) error {
	reply, err := s.ask(ctx, rec.FQDN, dns.TypeTXT)
	if err != nil {
		return err
	}
	for _, rr := range reply.Answer {
		if txt, ok := rr.(*dns.TXT); ok && dcv.CanonicalName(txt.Hdr.Name) == rec.FQDN {
			return &dcv.Problem{Message: fmt.Sprintf("TXT records at %q are in the way of the CNAME that CAS asks "+
				"for: remove them", rec.FQDN)}
		}
	}
	return nil
}

func aliasInTheWay(rec dcv.Record, target string) error {
	if rec.Type == "CNAME" {
		return &dcv.Problem{Message: fmt.Sprintf("the CNAME at %q leads to %q, and CAS asks for one that leads to "+
			"%q: remove it", rec.FQDN, target, rec.Value)}
	}
	return &dcv.Problem{Message: fmt.Sprintf("the CNAME at %q, which leads to %q, is in the way of the TXT record: "+
		"remove it, or let cnameStrategy: Follow publish the record there",
		rec.FQDN, target)}
}

// resource is the record as the DNS library has it.
func resource(rec dcv.Record) (dns.RR, error) {
	header := dns.RR_Header{Name: dns.Fqdn(rec.FQDN), Rrtype: dns.StringToType[rec.Type], Class: dns.ClassINET,
		Ttl: ttl}
	switch rec.Type {
	case "TXT":
		return &dns.TXT{Hdr: header, Txt: texts(rec.Value)}, nil
	case "CNAME":
		return &dns.CNAME{Hdr: header, Target: dns.Fqdn(rec.Value)}, nil
	default:
		return nil, fmt.Errorf("a record of type %q cannot be published", rec.Type)
	}
}

// texts cuts a value into the strings of a TXT record, and writes each as the DNS library reads it.
func texts(value string) []string {
	var out []string
	for len(value) > maxString {
		out, value = append(out, dcv.Escaped(value[:maxString])), value[maxString:]
	}
	return append(out, dcv.Escaped(value))
}

func isSame(a, b dns.RR) bool {
	switch a := a.(type) {
	case *dns.TXT:
		b, ok := b.(*dns.TXT)
		return ok && strings.Join(a.Txt, "") == strings.Join(b.Txt, "")
	case *dns.CNAME:
		b, ok := b.(*dns.CNAME)
		return ok && dcv.CanonicalName(a.Target) == dcv.CanonicalName(b.Target)
	default:
		return false
	}
}
