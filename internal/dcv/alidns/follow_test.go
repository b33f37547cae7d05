// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// The simulator's DNS serves the zones of all accounts: example.com is ours, example.org somebody else's.
func TestARecordIsWrittenInTheZoneThatTheCNAMELeadsTo(t *testing.T) {
	w := start(t, "example.com")
	alias := w.AddRecord("example.org", "_dnsauth.www", "CNAME", "www-example-org.validation.example.com")
	delegation := w.byID(alias)
	check := &dcv.SelfCheck{Nameservers: []string{w.DNSAddr()}}
	solver := &dcv.FollowSolver{Solver: w.solver(), SelfCheck: check}
	ch := dcv.Challenge{Domain: "www.example.org", RecordName: "_dnsauth.www", RecordType: "TXT", RecordValue: "v1"}
	var made claims
	rec, err := solver.Present(t.Context(), ch, nil, made.claim)
	if err != nil {
		t.Fatal(err)
	}
	want := dcv.Record{FQDN: "www-example-org.validation.example.com", Type: "TXT", Value: "v1", Zone: "example.com"}
	wantRecord(t, *made.last(t), want)
	want.ProviderID = rec.ProviderID
	wantRecord(t, rec, want)
	for _, name := range []string{rec.FQDN, "_dnsauth.www.example.org"} { // the CA asks for the latter
		seen := rec
		seen.FQDN = name
		if got, err := check.Check(t.Context(), seen); err != nil || !got.Visible {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord")
	again, err := solver.Present(t.Context(), ch, &rec, noClaim(t))
	if err != nil {
		t.Fatal(err)
	}
	wantRecord(t, again, rec)
	if err := solver.CleanUp(t.Context(), rec); err != nil {
		t.Error(err)
	}
	w.wantRecords(delegation)
}

func TestAZoneThatIsNotOursWhereTheCNAMELeadsIsNamedWithBothNames(t *testing.T) {
	w := start(t, "example.com")
	w.AddRecord("example.com", "_dnsauth.www", "CNAME", "www.example.org")
	solver := &dcv.FollowSolver{Solver: w.solver(), SelfCheck: &dcv.SelfCheck{Nameservers: []string{w.DNSAddr()}}}
	_, err := solver.Present(t.Context(), challenge("v1"), nil, noClaim(t))
	wantProblem(t, err, `the record "_dnsauth.www" for "www.example.com" is delegated by CNAME to "www.example.org": `+
		`the Alibaba Cloud DNS account of the solver's credentials has no zone that holds "www.example.org": `+
		`add the zone there, use credentials of the account that holds it, or choose another solver for this name`)
}
