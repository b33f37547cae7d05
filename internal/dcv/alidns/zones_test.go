// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

func TestTheRecordIsWrittenInTheLongestZoneThatHoldsIt(t *testing.T) {
	tests := map[string]struct {
		zones            []string
		domain, name     string
		zone, rr, atFQDN string
	}{
		"the only zone": {[]string{"example.com"}, "www.example.com", "_dnsauth.www",
			"example.com", "_dnsauth.www", "_dnsauth.www.example.com"},
		"the zone's own name": {[]string{"example.com"}, "example.com", "_dnsauth", "example.com",
			"_dnsauth", "_dnsauth.example.com"},
		"a wildcard": {[]string{"example.com"}, "*.example.com", "_dnsauth", "example.com",
			"_dnsauth", "_dnsauth.example.com"},
		"a sub-zone": {[]string{"example.com", "shop.example.com"}, "www.shop.example.com",
			"_dnsauth.www", "shop.example.com", "_dnsauth.www", "_dnsauth.www.shop.example.com"},
		"a sub-zone, told from its parent": {[]string{"example.com", "shop.example.com"}, "www.shop.example.com",
			"_dnsauth.www.shop", "shop.example.com", "_dnsauth.www", "_dnsauth.www.shop.example.com"},
		"beside a sub-zone": {[]string{"example.com", "shop.example.com"}, "www.example.com",
			"_dnsauth.www", "example.com", "_dnsauth.www", "_dnsauth.www.example.com"},
		"a sub-zone that ends alike": {[]string{"example.com", "p.example.com"}, "shop.example.com",
			"_dnsauth.shop", "example.com", "_dnsauth.shop", "_dnsauth.shop.example.com"},
		"a sub-zone alone": {[]string{"shop.example.com"}, "www.shop.example.com", "_dnsauth.www",
			"shop.example.com", "_dnsauth.www", "_dnsauth.www.shop.example.com"},
		"in full above a sub-zone": {[]string{"example.com", "www.example.com"}, "www.example.com",
			"_dnsauth.example.com", "example.com", "_dnsauth", "_dnsauth.example.com"},
		"a zone for the record alone": {[]string{"example.com", "_dnsauth.example.com"}, "example.com",
			"_dnsauth", "_dnsauth.example.com", "@", "_dnsauth.example.com"},
		"a look-alike that the search finds": {[]string{"example.com", "myexample.com", "example.com.cn"},
			"www.example.com", "_dnsauth.www", "example.com", "_dnsauth.www", "_dnsauth.www.example.com"},
		"a suffix of two labels": {[]string{"example.com.cn", "example.com"}, "www.example.com.cn", "_dnsauth.www",
			"example.com.cn", "_dnsauth.www", "_dnsauth.www.example.com.cn"},
		"an internationalized zone": {[]string{"xn--fsqu00a.com"}, "www.xn--fsqu00a.com", "_dnsauth.www",
			"xn--fsqu00a.com", "_dnsauth.www", "_dnsauth.www.xn--fsqu00a.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, test.zones...)
			solver := w.solver()
			ch := dcv.Challenge{Domain: test.domain, RecordName: test.name, RecordType: "TXT", RecordValue: "v1"}
			rec := present(t, solver, ch, nil, new(claims).claim)
			wantRecord(t, rec, dcv.Record{FQDN: test.atFQDN, Type: "TXT", Value: "v1", Zone: test.zone,
				ProviderID: rec.ProviderID})
			written := w.byID(rec.ProviderID)
			if diff := cmp.Diff([]string{test.zone, test.rr, test.atFQDN},
				[]string{written.Zone, written.RR, written.FQDN}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			wantRecord(t, present(t, solver, ch, &rec, noClaim(t)), rec)
			cleanUp(t, solver, rec)
			w.wantRecords()
		})
	}
}

// TestThePlaceIsKnownBeforeThereIsAChallenge expects one call to tell the place, and the record to go there later.
func TestThePlaceIsKnownBeforeThereIsAChallenge(t *testing.T) {
	w := start(t, "example.com", "shop.example.com")
	for name, zone := range map[string]string{"www.example.com": "example.com",
		"*.shop.example.com": "shop.example.com", "example.com": "example.com"} {
		place, err := w.solver().Place(t.Context(), dcv.ExpectedChallenge(name))
		if err != nil || place.Zone != zone || place.FQDN != "_dnsauth."+strings.TrimPrefix(name, "*.") {
			t.Errorf("%s: got %+v, %v", name, place, err)
		}
		w.wantCalls("DescribeDomains")
	}
	_, err := w.solver().Place(t.Context(), dcv.ExpectedChallenge("www.example.net"))
	wantProblem(t, err, `the Alibaba Cloud DNS account of the solver's credentials has no zone that holds `+
		`"www.example.net": `+
		`add the zone there, use credentials of the account that holds it, or choose another solver for this name`)
	w.wantRecords()
}

func TestAZoneThatIsListedInUnicodeIsFoundToo(t *testing.T) {
	w := start(t, "例子.com")
	ch := dcv.Challenge{Domain: "www.xn--fsqu00a.com", RecordName: "_dnsauth.www", RecordType: "TXT", RecordValue: "v1"}
	solver := w.solver()
	rec := present(t, solver, ch, nil, new(claims).claim)
	wantRecord(t, rec, dcv.Record{FQDN: "_dnsauth.www.xn--fsqu00a.com", Type: "TXT", Value: "v1", Zone: "例子.com",
		ProviderID: rec.ProviderID})
	w.wantCalls("DescribeDomains", "DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord")
	cleanUp(t, solver, rec)
	w.wantRecords()
}

func TestAZoneOnALaterPageIsFound(t *testing.T) {
	zones := []string{"example.com", "zz.example.com"} // the first and the last by name
	for i := range 199 {
		zones = append(zones, fmt.Sprintf("z%03d.example.com", i))
	}
	w := start(t, zones...)
	ch := dcv.Challenge{Domain: "www.zz.example.com", RecordName: "_dnsauth.www", RecordType: "TXT", RecordValue: "v1"}
	rec := present(t, w.solver(), ch, nil, new(claims).claim)
	if rec.Zone != "zz.example.com" {
		t.Errorf("it was written in %q", rec.Zone)
	}
	w.wantCalls("DescribeDomains", "DescribeDomains", "DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord")
}

func TestAClaimedRecordKeepsItsPlaceThoughASubZoneIsAdded(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim)
	w.AddZone("www.example.com", ourAccount)
	wantRecord(t, present(t, solver, challenge("v1"), &rec, noClaim(t)), rec)
	cleanUp(t, solver, rec)
	w.wantRecords()
}

func TestAZoneThatTheAccountDoesNotHaveIsAProblem(t *testing.T) {
	const remedy = ": add the zone there, use credentials of the account that holds it, or choose another solver " +
		"for this name"
	tests := map[string]struct{ domain, name, holds string }{
		"no account has it":             {"www.example.net", "_dnsauth.www", "www.example.net"},
		"another account has it":        {"www.example.org", "_dnsauth.www", "www.example.org"},
		"only a look-alike is there":    {"www.ample.com", "_dnsauth.www", "www.ample.com"},
		"only a zone below it is there": {"shop.example.de", "_dnsauth.shop", "shop.example.de"},
		"the record is above the zone":  {"www.shop.example.de", "_dnsauth.example.de", "_dnsauth.example.de"},
		"an internationalized one":      {"www.xn--fsqu00a.com", "_dnsauth.www", "www.xn--fsqu00a.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, "example.com", "www.shop.example.de")
			ch := dcv.Challenge{Domain: test.domain, RecordName: test.name, RecordType: "TXT", RecordValue: "v1"}
			_, err := w.solver().Present(t.Context(), ch, nil, noClaim(t))
			wantProblem(t, err, fmt.Sprintf("the Alibaba Cloud DNS account of the solver's credentials has no zone "+
				"that holds %q%s", test.holds, remedy))
			w.wantRecords()
		})
	}
}

func TestAZoneThatWentAfterTheClaimIsAProblem(t *testing.T) {
	w := start(t, "example.com")
	for zone, prior := range map[string]dcv.Record{
		"gone.example": {FQDN: "_dnsauth.gone.example", Type: "TXT", Value: "v1", Zone: "gone.example"},
		"example.org":  {FQDN: "_dnsauth.example.org", Type: "TXT", Value: "v1", Zone: "example.org", ProviderID: "1"},
	} {
		_, err := w.solver().Present(t.Context(), challenge("v1"), &prior, noClaim(t))
		wantProblem(t, err, fmt.Sprintf("the TXT record %q in zone %q: the zone is not in the account of the "+
			"solver's credentials: "+
			"add it there, or use credentials of the account that holds it", "_dnsauth."+zone, zone))
	}
}
