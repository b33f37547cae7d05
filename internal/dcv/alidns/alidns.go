// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package alidns publishes validation records in Alibaba Cloud DNS (CAS contract §5).
//
// The life of one order takes four calls: DescribeDomains for the zone, DescribeSubDomainRecords for what is at the name,
// AddDomainRecord, DeleteDomainRecord. The zone's limits are not asked for: every edition accepts a TTL of 600 seconds, and a fresh
// name has nothing cached that a shorter one would help with.
//
// Alibaba Cloud DNS has no idempotency token and keeps no note of who added a record. Whose a record is follows from our own claim
// alone: what is found at the name without an earlier claim is somebody else's, often CAS's own (CAS contract §4), and stays.
package alidns

import (
	"context"
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const (
	// DefaultURL is the one public endpoint; the SDK knows no other for any region (CAS contract §5).
	DefaultURL = "https://alidns.aliyuncs.com"
	// defaultRegion only travels along in the request: zones have no region.
	defaultRegion = "cn-hangzhou"
	// recordRate is the number of calls a second for each API that reads or writes records. CAS contract §5 allows 60 for adding and
	// for deleting and 300 for reading, and leaves the listing of zones open, which keeps [rpc.DefaultRate]: so a Present that has got
	// through there is not held back further on, where it would have to begin anew. The rest is left to people at the console.
	recordRate = 50
)

// Config is what a Solver needs to know.
type Config struct {
	// Endpoint is where Alibaba Cloud DNS is reached; what is empty gets its default.
	Endpoint rpc.Endpoint
	// Credentials may be of another account than the orders.
	Credentials rpc.CredentialsProvider
	// Timeout bounds a call; the default is [rpc.DefaultTimeout].
	Timeout time.Duration
}

// Solver keeps validation records in the zones of one account. It is safe for concurrent use and holds no state.
type Solver struct {
	zoneCalls, recordCalls *rpc.Caller // their rates are those of the account, whoever else calls
}

var _ dcv.Solver = (*Solver)(nil)

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
