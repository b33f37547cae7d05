// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns

import (
	"context"
	"fmt"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdk "github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"
	"golang.org/x/net/idna"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Place implements dcv.Placer. It usually takes one call.
func (s *Solver) Place(ctx context.Context, ch dcv.Challenge) (dcv.Record, error) {
	return s.locate(ctx, ch, nil)
}

// locate says where the record belongs. A record that was claimed once keeps its place, even if a sub-zone has been
// added since: it could not be cleaned up otherwise.
func (s *Solver) locate(ctx context.Context, ch dcv.Challenge, prior *dcv.Record) (dcv.Record, error) {
	rec := dcv.Record{Type: ch.RecordType, Value: ch.RecordValue}
	if prior != nil {
		rec.FQDN, rec.Zone = prior.FQDN, prior.Zone
		return rec, nil
	}
	zones, err := s.zones(ctx, ch.Domain)
	if err != nil {
		return dcv.Record{}, err
	}
	holder := longest(zones, dcv.CanonicalName(ch.Domain))
	if holder == "" {
		return dcv.Record{}, noZone(ch.Domain)
	}
	rec.FQDN = dcv.RecordFQDN(ch, holder)
	// The record's own name may be delegated further than the validated name, and then only the deeper zone answers for
	// it. CAS may also have named a record outside of every zone of the account, which cannot be written.
	if rec.Zone = longest(zones, rec.FQDN); rec.Zone == "" {
		return dcv.Record{}, noZone(rec.FQDN)
	}
	return rec, nil
}

// zones lists the account's zones that may hold the domain or a name below it. They all contain the domain's
// registrable name, which makes one search enough: asking for each possible zone would take a call per label, and
// GetMainDomainName does not know of sub-zones that are zones of their own (docs/design/cas.md §6.3).
func (s *Solver) zones(ctx context.Context, domain string) ([]string, error) {
	keyword := registrable(dcv.CanonicalName(domain))
	zones, err := s.search(ctx, keyword)
	if err != nil || longest(zones, dcv.CanonicalName(domain)) != "" {
		return zones, err
	}
	// Internationalized zones are listed in both spellings, but nothing says which of them a search compares with.
	if unicode, err := idna.Punycode.ToUnicode(keyword); err == nil && unicode != keyword {
		return s.search(ctx, unicode)
	}
	return nil, nil
}

func (s *Solver) search(ctx context.Context, keyword string) ([]string, error) {
	var zones []string
	err := eachPage(func(page int) (int, int64, error) {
		req, resp := sdk.CreateDescribeDomainsRequest(), sdk.CreateDescribeDomainsResponse()
		req.KeyWord, req.SearchMode = keyword, "LIKE"
		req.PageNumber, req.PageSize = requests.NewInteger(page), requests.NewInteger(pageSize)
		if err := s.zoneCalls.Do(ctx, req, resp); err != nil {
			return 0, 0, err
		}
		if resp.Domains.Domain == nil {
			return 0, 0, withoutList(req.GetActionName(), resp.RequestId, "zones")
		}
		for _, d := range resp.Domains.Domain {
			zones = append(zones, d.DomainName)
		}
		return len(resp.Domains.Domain), resp.TotalCount, nil
	})
	if err != nil {
		return nil, fmt.Errorf("the zones of the Alibaba Cloud DNS account could not be listed: %w", err)
	}
	return zones, nil
}

// registrable is the shortest parent of the name that is not a registry's.
func registrable(name string) string {
	for shorter := name; !dcv.RegistryOwned(shorter); _, shorter, _ = strings.Cut(shorter, ".") {
		name = shorter
	}
	return name
}

// longest returns the zone nearest to the canonical name, as the service writes it, or "".
func longest(zones []string, name string) string {
	var best string
	for _, zone := range zones {
		if canonical := dcv.CanonicalName(zone); dcv.Within(name, canonical) &&
			len(canonical) > len(dcv.CanonicalName(best)) {
			best = zone
		}
	}
	return best
}

const (
	// pageSize is the most that both listings give (docs/design/cas.md §6.1).
	pageSize = 100
	// maxPages ends a listing that the server does not end. A longer list is an error, and never cut short: what is
	// looked for may be missing from it.
	maxPages = 100
)

// eachPage fetches pages until as many elements as the service counts have arrived, or a page is empty.
func eachPage(fetch func(page int) (elements int, total int64, err error)) error {
	var arrived int64
	for page := 1; page <= maxPages; page++ {
		elements, total, err := fetch(page)
		if err != nil {
			return err
		}
		arrived += int64(elements)
		if elements == 0 || arrived >= total {
			return nil
		}
	}
	return fmt.Errorf("the list has more than %d pages", maxPages)
}
