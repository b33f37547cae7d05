// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns

import (
	"context"
	"fmt"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdk "github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

const (
	// ttl is accepted by every edition (docs/design/cas.md §6.4).
	ttl = 600
	// line serves the visitors for whom the zone has no line of their own. The CA's servers may be anywhere, so only
	// this line counts.
	line = "default"
)

// standing holds those of the records at a name that matter.
type standing struct {
	match *sdk.Record // the record itself: same name, type and value
	alias *sdk.Record // an enabled CNAME with another target
}

// Reads what is at the record's name, all types at once, to name the target of a CNAME in the way of a TXT record: the
// service says only "conflict".
func (s *Solver) lookup(ctx context.Context, rec dcv.Record) (standing, error) {
	var at standing
	rr := relative(rec)
	err := eachPage(func(page int) (int, int64, error) {
		req, resp := sdk.CreateDescribeSubDomainRecordsRequest(), sdk.CreateDescribeSubDomainRecordsResponse()
		req.SubDomain, req.DomainName = subDomain(rec), rec.Zone
		req.PageNumber, req.PageSize = requests.NewInteger(page), requests.NewInteger(pageSize)
		if err := s.recordCalls.Do(ctx, req, resp); err != nil {
			return 0, 0, err
		}
		if resp.DomainRecords.Record == nil {
			return 0, 0, withoutList(req.GetActionName(), resp.RequestId, "records")
		}
		for _, r := range resp.DomainRecords.Record {
			if dcv.CanonicalName(r.RR) != rr || (r.Line != line && r.Line != "") {
				continue
			}
			switch {
			case r.Type == rec.Type && sameValue(rec.Type, r.Value, rec.Value):
				at.match = &r
			case r.Type == "CNAME" && isEnabled(&r):
				at.alias = &r
			}
		}
		return len(resp.DomainRecords.Record), resp.TotalCount, nil
	})
	if err != nil {
		return standing{}, err
	}
	return at, nil
}

// Says whose the standing record is: ours if an earlier Present claimed it and did not learn another id, else somebody
// else's. Returns a Problem if it is disabled.
func own(rec dcv.Record, found *sdk.Record, prior *dcv.Record) (dcv.Record, error) {
	rec.ProviderID = found.RecordId
	rec.Foreign = prior == nil || prior.Foreign || (prior.ProviderID != "" && prior.ProviderID != found.RecordId)
	if !isEnabled(found) {
		return dcv.Record{}, &dcv.Problem{Message: fmt.Sprintf(
			"the %s record %q in zone %q has the right value and is disabled: enable it in Alibaba Cloud DNS, "+
				"or delete it", rec.Type, rec.FQDN, rec.Zone)}
	}
	return rec, nil
}

// adopt handles an add that was refused because the record exists, though the lookup just before did not show it. If
// there is an earlier claim, an add of ours made the record, its reply was lost, and the listing shows it late. Without
// one, somebody else was faster.
func (s *Solver) adopt(ctx context.Context, rec dcv.Record, prior *dcv.Record) (dcv.Record, error) {
	at, err := s.lookup(ctx, rec)
	if err != nil {
		return dcv.Record{}, explain(err, rec)
	}
	if at.match == nil {
		return dcv.Record{}, fmt.Errorf("the %s record %q in zone %q exists already, but is not listed yet", rec.Type,
			rec.FQDN, rec.Zone)
	}
	return own(rec, at.match, prior)
}

func (s *Solver) add(ctx context.Context, rec dcv.Record) (id string, err error) {
	req, resp := sdk.CreateAddDomainRecordRequest(), sdk.CreateAddDomainRecordResponse()
	req.DomainName, req.RR, req.Type, req.Value = rec.Zone, relative(rec), rec.Type, rec.Value
	req.Line, req.TTL = line, requests.NewInteger(ttl)
	if err := s.recordCalls.Do(ctx, req, resp); err != nil {
		return "", err
	}
	return resp.RecordId, nil
}

func (s *Solver) remove(ctx context.Context, rec dcv.Record) error {
	req, resp := sdk.CreateDeleteDomainRecordRequest(), sdk.CreateDeleteDomainRecordResponse()
	req.RecordId = rec.ProviderID
	return s.recordCalls.Do(ctx, req, resp)
}

// relative is the record's name as the service takes it: without the zone, and "@" for the zone itself.
func relative(rec dcv.Record) string {
	zone := dcv.CanonicalName(rec.Zone)
	if rec.FQDN == zone {
		return "@"
	}
	return strings.TrimSuffix(rec.FQDN, "."+zone)
}

// subDomain is the record's full name with the zone written as the service writes it.
func subDomain(rec dcv.Record) string {
	if rr := relative(rec); rr != "@" {
		return rr + "." + rec.Zone
	}
	return rec.Zone
}

// sameValue compares as DNS does: text by every byte, a CNAME's target as a name.
func sameValue(rrType, a, b string) bool {
	if rrType == "CNAME" {
		return dcv.CanonicalName(a) == dcv.CanonicalName(b)
	}
	return a == b
}

// Compares without regard to case, since the documents do not agree on the spelling (docs/design/cas.md §6.2).
func isEnabled(r *sdk.Record) bool { return !strings.EqualFold(r.Status, "Disable") }
