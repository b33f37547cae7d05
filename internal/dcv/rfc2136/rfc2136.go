// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package rfc2136 publishes validation records by dynamic updates (RFC 2136), as BIND, Knot, PowerDNS and Windows take
// them.
//
// An update adds or removes one record by its exact value, so that others at the same name stay as they are. Records
// have no ids: a record is ours if we claimed it and it has the exact value of the claim.
package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// ttl is short, since a record of ours lives for minutes, and resolvers keep a wrong value for no longer than this.
const ttl = 60

// Algorithms are the names of the TSIG algorithms (RFC 8945 §6) by what issuers call them.
var Algorithms = map[string]string{
	"HMACSHA1": dns.HmacSHA1, "HMACSHA224": dns.HmacSHA224, "HMACSHA256": dns.HmacSHA256, "HMACSHA384": dns.HmacSHA384,
	"HMACSHA512": dns.HmacSHA512,
}

// Config is what a Solver needs to know.
type Config struct {
	// Nameserver takes the updates, as host or host:port; the default port is 53.
	Nameserver string
	// KeyName is the name of the TSIG key. Empty: updates are not signed, and the server knows us by our address.
	KeyName string
	// Algorithm is one of Algorithms; the default is HMACSHA256.
	Algorithm string
	// Secret reads the key itself, in base64, for each update. It is needed with a KeyName.
	Secret func(ctx context.Context) (string, error)
}

// Solver keeps validation records on one name server. It is safe for concurrent use and holds no state.
type Solver struct {
	server, keyName, algorithm string
	secret                     func(ctx context.Context) (string, error)
}

var _ interface {
	dcv.Solver
	dcv.Placer
} = (*Solver)(nil)

// New checks the configuration; it makes no call.
func New(config Config) (*Solver, error) {
	if config.Nameserver == "" {
		return nil, errors.New("rfc2136: nameserver is needed")
	}
	algorithm := config.Algorithm
	if algorithm == "" {
		algorithm = "HMACSHA256"
	}
	if Algorithms[algorithm] == "" {
		return nil, fmt.Errorf("rfc2136: the TSIG algorithm %q is not known", algorithm)
	}
	if (config.KeyName == "") != (config.Secret == nil) {
		return nil, errors.New("rfc2136: the name of a TSIG key and its Secret belong together")
	}
	s := &Solver{server: Address(config.Nameserver), algorithm: Algorithms[algorithm], secret: config.Secret}
	if config.KeyName != "" {
		s.keyName = dns.CanonicalName(config.KeyName)
	}
	return s, nil
}

// Address is a name server as host:port, whichever way it was written.
func Address(nameserver string) string {
	nameserver = strings.ToLower(nameserver)
	if _, _, err := net.SplitHostPort(nameserver); err != nil {
		return net.JoinHostPort(strings.Trim(nameserver, "[]"), "53")
	}
	return nameserver
}

// Present implements dcv.Solver.
func (s *Solver) Present(
	ctx context.Context, ch dcv.Challenge, prior *dcv.Record, claim func(context.Context, dcv.Record) error,
) (dcv.Record, error) {
	ch, prior, err := dcv.Prepare(ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	rec, err := s.locate(ctx, ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	stands, err := s.lookup(ctx, rec)
	if err != nil {
		return dcv.Record{}, err
	}
	if stands {
		rec.Foreign = prior == nil || prior.Foreign
		return rec, nil
	}
	if err := claim(ctx, rec); err != nil {
		return dcv.Record{}, err
	}
	if err := s.update(ctx, rec, (*dns.Msg).Insert); err != nil {
		return dcv.Record{}, err
	}
	return rec, nil
}

// CleanUp implements dcv.Solver. The server takes the removal of a missing record as success (RFC 2136 §3.4.2.4).
func (s *Solver) CleanUp(ctx context.Context, rec dcv.Record) error {
	if rec.Foreign || rec.FQDN == "" || rec.Zone == "" {
		return nil
	}
	return s.update(ctx, rec, (*dns.Msg).Remove)
}

// Probe returns an error if the server does not answer, or if the key that is named cannot be read. It does not ask
// whether the server takes updates: only an update would tell, and that is a write.
func (s *Solver) Probe(ctx context.Context) error {
	if s.secret != nil {
		if _, err := s.secret(ctx); err != nil {
			return err
		}
	}
	_, err := s.exchange(ctx, new(dns.Msg).SetQuestion(".", dns.TypeSOA), false)
	return err
}
