// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"fmt"
	"strings"
)

// ZoneFinder tells which zone holds a name, without trailing dot; SelfCheck is one.
type ZoneFinder interface {
	FindZone(ctx context.Context, name string) (string, error)
}

// Prepare is the first step of every DNS solver. It writes the record's type in upper case, and drops a prior that
// claims another record than the one that the challenge asks for. It returns an error while CAS has not named the
// record, and a *Problem for what is no validation record.
func Prepare(ch Challenge, prior *Record) (Challenge, *Record, error) {
	if ch.Domain == "" || ch.RecordName == "" || ch.RecordValue == "" {
		return ch, nil, fmt.Errorf("the validation record for %q is not known yet: CAS has not named it", ch.Domain)
	}
	ch.RecordType = strings.ToUpper(ch.RecordType)
	if err := admit(ch); err != nil {
		return ch, nil, err
	}
	if prior != nil && (prior.FQDN == "" || prior.Type != ch.RecordType || prior.Value != ch.RecordValue) {
		prior = nil
	}
	return ch, prior, nil
}

// Locate returns the name and zone of the record of a prepared challenge. A claimed record keeps those of its claim,
// even if a sub-zone was added since: it could not be cleaned up otherwise. The zone is that of the record's own name,
// which may be delegated further than the validated name: only the deeper zone then answers for it.
func Locate(ctx context.Context, zones ZoneFinder, ch Challenge, prior *Record) (Record, error) {
	rec := Record{Type: ch.RecordType, Value: ch.RecordValue}
	if prior != nil && prior.Zone != "" {
		rec.FQDN, rec.Zone = prior.FQDN, prior.Zone
		return rec, nil
	}
	zone := ""
	if !InFull(ch) {
		var err error
		if zone, err = zones.FindZone(ctx, ch.Domain); err != nil {
			return Record{}, err
		}
	}
	rec.FQDN = RecordFQDN(ch, zone)
	var err error
	if rec.Zone, err = zones.FindZone(ctx, rec.FQDN); err != nil {
		return Record{}, err
	}
	return rec, nil
}
