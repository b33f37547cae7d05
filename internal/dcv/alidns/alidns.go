// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package alidns publishes validation records in Alibaba Cloud DNS (docs/design/cas.md §6).
//
// One order takes five calls: DescribeDomains for the zone, once before the order is paid for and once after CAS has
// named the record, DescribeSubDomainRecords for what is at the name, AddDomainRecord and DeleteDomainRecord. The
// zone's limits are not asked for: every edition accepts a TTL of 600 seconds, and a shorter one would be no help for a
// fresh name, of which nothing is cached.
//
// Alibaba Cloud DNS has no idempotency token and keeps no note of who added a record. So only our own claim makes a
// record ours: a record found at the name without an earlier claim is somebody else's, often CAS's own
// (docs/design/cas.md §5.3), and stays.
package alidns

import (
	"context"
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const (
	// DefaultURL is the one public endpoint; the SDK knows no other for any region (docs/design/cas.md §6.1).
	DefaultURL = "https://alidns.aliyuncs.com"
	// defaultRegion only travels along in the request: zones have no region.
	defaultRegion = "cn-hangzhou"
	// recordRate is the number of calls a second for each API that reads or writes records. docs/design/cas.md §6.1
	// allows 60 for adding and for deleting and 300 for reading; the rest is left to people at the console. No limit is
	// documented for the listing of zones, which keeps the lower [rpc.DefaultRate]: a Present that has got its turn
	// there is not held back at a later call, after which it would have to begin anew.
	recordRate = 50
)

// Config is what a Solver needs to know.
type Config struct {
	// Endpoint is where Alibaba Cloud DNS is reached; each empty field gets its default.
	Endpoint rpc.Endpoint
	// Credentials may be of another account than the orders.
	Credentials rpc.CredentialsProvider
	// Timeout bounds a call; the default is [rpc.DefaultTimeout].
	Timeout time.Duration
}

// Solver keeps validation records in the zones of one account. It is safe for concurrent use and holds no state.
type Solver struct {
	zoneCalls, recordCalls *rpc.Caller // all callers for an account share its rates
}

var _ interface {
	dcv.Solver
	dcv.Placer
} = (*Solver)(nil)

// New checks the configuration; it makes no call.
func New(config Config) (*Solver, error) {
	if config.Endpoint.URL == "" {
		config.Endpoint.URL = DefaultURL
	}
	if config.Endpoint.Region == "" {
		config.Endpoint.Region = defaultRegion
	}
	calls := rpc.Config{Endpoint: config.Endpoint, Credentials: config.Credentials, Timeout: config.Timeout}
	zoneCalls, err := rpc.New(calls)
	if err != nil {
		return nil, fmt.Errorf("alidns: %w", err)
	}
	calls.Rate = recordRate
	recordCalls, err := rpc.New(calls)
	if err != nil {
		return nil, fmt.Errorf("alidns: %w", err)
	}
	return &Solver{zoneCalls: zoneCalls, recordCalls: recordCalls}, nil
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
	standing, err := s.lookup(ctx, rec)
	if err != nil {
		return dcv.Record{}, explain(err, rec)
	}
	if standing.match != nil {
		return own(rec, standing.match, prior)
	}
	if standing.alias != nil {
		return dcv.Record{}, aliasInTheWay(rec, standing.alias)
	}
	if err := claim(ctx, rec); err != nil {
		return dcv.Record{}, err
	}
	rec.ProviderID, err = s.add(ctx, rec)
	if rpc.CodeOf(err) == codeDuplicate {
		return s.adopt(ctx, rec, prior)
	}
	if err != nil {
		return dcv.Record{}, explain(err, rec)
	}
	return rec, nil
}

// CleanUp implements dcv.Solver.
func (s *Solver) CleanUp(ctx context.Context, rec dcv.Record) error {
	if rec.Foreign || rec.FQDN == "" {
		return nil
	}
	if rec.ProviderID == "" { // claimed, but the reply to the add was lost, or it was never sent
		standing, err := s.lookup(ctx, rec)
		switch {
		case isZoneGone(err), err == nil && standing.match == nil:
			return nil
		case err != nil:
			return explain(err, rec)
		}
		rec.ProviderID = standing.match.RecordId
	}
	err := s.remove(ctx, rec)
	if isZoneGone(err) || rpc.CodeOf(err) == codeRecordGone {
		return nil
	}
	return explain(err, rec)
}
