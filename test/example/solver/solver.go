// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package solver is the smallest solver that keeps the contract of internal/dcv, for whoever writes the next one. Read
// this file from its top to its end, and then solver_test.go, which holds each rule of the contract against a name
// server. Under "a new solver" CONTRIBUTING.md lists what it takes beyond that, so that users can choose it.
//
// It publishes by dynamic updates (RFC 2136) that nobody signs. internal/dcv/rfc2136 does the same for users: it signs,
// says of each refusal what to mend, and names what is in the way of a record. A provider whose records have ids is in
// internal/dcv/alidns, and what is published by objects in the cluster in internal/dcv/dnsendpoint.
package solver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Solver keeps validation records on one name server. It remembers nothing: what has to be known after a crash is in
// the status of the AliyunOrder, and comes back as prior.
type Solver struct {
	// Server is the name server that takes updates, as host:port.
	Server string
	// Zones tells which zone holds a name.
	Zones dcv.ZoneFinder
}

var _ dcv.Solver = (*Solver)(nil)

// Present implements dcv.Solver in five steps, and their order is the contract. It is called again and again, until the
// CA has seen the record.
func (s *Solver) Present(
	ctx context.Context, ch dcv.Challenge, prior *dcv.Record, claim func(context.Context, dcv.Record) error,
) (dcv.Record, error) {
	// 1. Pass the gate. Whoever answers as CAS chooses name, type and value, and this solver publishes with the rights
	// of whoever runs the zone: nothing but a validation record goes on from here. A prior that is about another record
	// is dropped.
	ch, prior, err := dcv.Prepare(ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	// 2. Find the place. A record that was claimed keeps its own, wherever the zone is cut today. A solver whose
	// provider lists its zones asks that provider instead of DNS, and implements dcv.Placer: then a name without a zone
	// is refused before anything is paid for.
	rec, err := dcv.Locate(ctx, s.Zones, ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	// 3. Look. What stands there is not made again. It is ours if it was claimed, even if the answer to its making was
	// lost; else somebody else made it, and it is Foreign: used, and never removed.
	stands, err := s.stands(ctx, rec)
	if err != nil {
		return dcv.Record{}, err
	}
	if stands {
		rec.Foreign = prior == nil || prior.Foreign
		return rec, nil
	}
	// 4. Claim. Once this has returned nil the record is known to be ours, whatever happens next. Without it nothing is
	// made: nobody would ever remove it.
	if err := claim(ctx, rec); err != nil {
		return dcv.Record{}, err
	}
	// 5. Act.
	if err := s.change(ctx, rec, (*dns.Msg).Insert); err != nil {
		return dcv.Record{}, err
	}
	return rec, nil
}

// CleanUp implements dcv.Solver. It removes one record by its exact name, type and value, since the server gives no
// ids. That others stand at the same name is usual. To remove what is not there is success (RFC 2136 §3.4.2.4), so that
// a clean-up whose answer was lost can be repeated.
func (s *Solver) CleanUp(ctx context.Context, rec dcv.Record) error {
	if rec.Foreign || rec.FQDN == "" || rec.Zone == "" {
		return nil
	}
	return s.change(ctx, rec, (*dns.Msg).Remove)
}

// stands says whether the very record is there. That nobody can tell is an error: to take it for a no would be to claim
// what may be somebody else's.
func (s *Solver) stands(ctx context.Context, rec dcv.Record) (bool, error) {
	want := resource(rec)
	reply, err := s.exchange(ctx, new(dns.Msg).SetQuestion(want.Header().Name, want.Header().Rrtype))
	switch {
	case err != nil:
		return false, err
	case reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError:
		return false, fmt.Errorf("the name server %s does not say what stands at %q: %s", s.Server, rec.FQDN,
			dns.RcodeToString[reply.Rcode])
	default:
		return slices.ContainsFunc(reply.Answer, func(rr dns.RR) bool { return dns.IsDuplicate(rr, want) }), nil
	}
}

// change adds or removes one record.
func (s *Solver) change(ctx context.Context, rec dcv.Record, how func(*dns.Msg, []dns.RR)) error {
	message := new(dns.Msg).SetUpdate(dns.Fqdn(rec.Zone))
	how(message, []dns.RR{resource(rec)})
	reply, err := s.exchange(ctx, message)
	switch {
	case err != nil:
		return err
	case reply.Rcode == dns.RcodeSuccess:
		return nil
	case reply.Rcode == dns.RcodeServerFailure: // waiting may heal it, so it is an error like any other
		return fmt.Errorf("the name server %s failed to change the zone %q", s.Server, rec.Zone)
	default: // a person has to act: a Problem names cause, object and next step, and says the same at each try
		return &dcv.Problem{Message: fmt.Sprintf("the name server %s refuses to change the zone %q (%s): let it take "+
			"updates from the controller's address", s.Server, rec.Zone, dns.RcodeToString[reply.Rcode])}
	}
}

// exchange gives up after ten seconds, for a worker waits for it.
func (s *Solver) exchange(ctx context.Context, message *dns.Msg) (*dns.Msg, error) {
	reply, _, err := (&dns.Client{Net: "tcp", Timeout: 10 * time.Second}).ExchangeContext(ctx, message, s.Server)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // it is without our port, which differs from call to call, and would rewrite a condition each time
	}
	if err != nil {
		return nil, fmt.Errorf("the name server %s did not answer: %w", s.Server, err)
	}
	return reply, nil
}

// resource is the record as the DNS library has it. It is put together from its parts and not read from a text, in
// which a value could bring along a second record.
func resource(rec dcv.Record) dns.RR {
	header := dns.RR_Header{Name: dns.Fqdn(rec.FQDN), Rrtype: dns.StringToType[rec.Type], Class: dns.ClassINET, Ttl: 60}
	if rec.Type == "CNAME" {
		return &dns.CNAME{Hdr: header, Target: dns.Fqdn(rec.Value)}
	}
	return &dns.TXT{Hdr: header, Txt: []string{dcv.Escaped(rec.Value)}}
}
