// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package manual is the solver for people who publish validation records themselves: it says where the record belongs,
// and writes nothing.
package manual

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Solver names the record that a person has to publish. Every Record that it returns is Foreign, since what a person
// made is not ours to remove.
type Solver struct{ Zones dcv.ZoneFinder }

var _ dcv.Solver = (*Solver)(nil)

// Present implements dcv.Solver. It never calls claim, as it creates nothing. Record.Zone is empty if DNS cannot tell
// the zone and CAS named the record in full.
func (s *Solver) Present(
	ctx context.Context, ch dcv.Challenge, prior *dcv.Record, _ func(context.Context, dcv.Record) error,
) (dcv.Record, error) {
	ch, prior, err := dcv.Prepare(ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	if prior != nil {
		return *prior, nil // a person may be typing this name right now: it does not change any more
	}
	rec := dcv.Record{Type: ch.RecordType, Value: ch.RecordValue, Foreign: true}
	zone, err := s.Zones.FindZone(ctx, ch.Domain)
	if err != nil {
		if !dcv.InFull(ch) {
			return dcv.Record{}, err
		}
		zone = ""
	}
	rec.FQDN, rec.Zone = dcv.RecordFQDN(ch, zone), zone
	return rec, nil
}

// CleanUp implements dcv.Solver: whoever published the record removes it.
func (s *Solver) CleanUp(context.Context, dcv.Record) error { return nil }
