// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rfc2136

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

const (
	// timeout bounds one exchange. A reconciler's worker waits for it.
	timeout = 10 * time.Second
	// fudge is how far clocks may be apart; RFC 8945 §10 recommends it.
	fudge = 300
)

// update sends one change of the record's zone.
func (s *Solver) update(ctx context.Context, rec dcv.Record, change func(*dns.Msg, []dns.RR)) error {
	rr, err := resource(rec)
	if err != nil {
		return err
	}
	message := new(dns.Msg).SetUpdate(dns.Fqdn(rec.Zone))
	change(message, []dns.RR{rr})
	reply, err := s.exchange(ctx, message, true)
	if err != nil {
		return err
	}
	return s.refused(reply, rec)
}

// exchange sends one message by TCP, since neither an update nor the answer to a query may be cut.
func (s *Solver) exchange(ctx context.Context, message *dns.Msg, isUpdate bool) (*dns.Msg, error) {
	client := &dns.Client{Net: "tcp", Timeout: timeout}
	if isUpdate && s.secret != nil {
		secret, err := s.secret(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := base64.StdEncoding.DecodeString(secret); err != nil {
			return nil, &dcv.Problem{Message: fmt.Sprintf("the TSIG key %q is not in base64: put it into the Secret "+
				"as tsig-keygen prints it", s.keyName)}
		}
		client.TsigSecret = map[string]string{s.keyName: secret}
		message.SetTsig(s.keyName, s.algorithm, fudge, time.Now().Unix())
	}
	reply, _, err := client.ExchangeContext(ctx, message, s.server)
	switch {
	case err == nil:
		return reply, nil
	case reply != nil && (errors.Is(err, dns.ErrSig) || errors.Is(err, dns.ErrTime) || errors.Is(err, dns.ErrAuth) ||
		errors.Is(err, dns.ErrNoSig)) && reply.Rcode != dns.RcodeSuccess:
		// a server that refuses the key need not sign its reply: an unsigned reply is believed only as a refusal
		return reply, nil
	case errors.Is(err, dns.ErrSig), errors.Is(err, dns.ErrNoSig):
		return nil, fmt.Errorf("the answer of the name server %s is not signed by the TSIG key %q, and is not believed",
			s.server, s.keyName)
	default:
		return nil, fmt.Errorf("the name server %s did not answer: %w", s.server, withoutPorts(err))
	}
}

// ask puts a question to the server. A server that fails has said nothing: whoever took that for an answer would claim
// what stands there already, and remove it in the end.
func (s *Solver) ask(ctx context.Context, name string, rrType uint16) (*dns.Msg, error) {
	reply, err := s.exchange(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(name), rrType), false)
	if err == nil && reply.Rcode == dns.RcodeServerFailure {
		return nil, fmt.Errorf("the name server %s answers a question for %q with SERVFAIL", s.server, name)
	}
	return reply, err
}

// refused makes a Problem of what a person has to solve.
func (s *Solver) refused(reply *dns.Msg, rec dcv.Record) error {
	code := reply.Rcode
	if tsig := reply.IsTsig(); tsig != nil && tsig.Error != 0 {
		code = int(tsig.Error)
	}
	var advice string
	switch code {
	case dns.RcodeSuccess:
		return nil
	case dns.RcodeServerFailure:
		return fmt.Errorf("the name server %s failed to change the zone %q (SERVFAIL): it is tried again without "+
			"further action", s.server, rec.Zone)
	case dns.RcodeBadKey:
		advice = fmt.Sprintf("it does not know the TSIG key %q: correct tsigKeyName, or configure the key there",
			s.keyName)
	case dns.RcodeBadSig: // BADVERS has the same number, but answers no update
		advice = fmt.Sprintf("the TSIG key %q has another secret or algorithm there: correct tsigAlgorithm "+
			"and the Secret", s.keyName)
	case dns.RcodeBadTime:
		advice = "its clock and the controller's differ by more than 5 minutes: set them"
	case dns.RcodeRefused, dns.RcodeNotAuth:
		advice = "let the zone take updates there from " + s.whom()
	case dns.RcodeNotZone:
		advice = fmt.Sprintf("the record %q is not in that zone", rec.FQDN)
	case dns.RcodeNotImplemented:
		advice = "it takes no dynamic updates: name the primary server of the zone, or choose another solver " +
			"for this name"
	default:
		advice = "look into its log"
	}
	return &dcv.Problem{Message: fmt.Sprintf("the name server %s refuses to change the zone %q (%s): %s", s.server,
		rec.Zone, dns.RcodeToString[code], advice)}
}

func (s *Solver) whom() string {
	if s.keyName == "" {
		return "the controller's address, or name a TSIG key"
	}
	return fmt.Sprintf("the TSIG key %q", s.keyName)
}

// withoutPorts drops our end of a connection, which differs from call to call.
func withoutPorts(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
