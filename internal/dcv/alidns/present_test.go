// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

func TestALifeTakesFourCallsAndLeavesNothing(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	var kept claims
	rec := present(t, solver, challenge("v1"), nil, func(ctx context.Context, rec dcv.Record) error {
		w.wantCalls("DescribeDomains", "DescribeSubDomainRecords")
		w.wantRecords() // the claim comes before the record
		return kept.claim(ctx, rec)
	})
	wantRecord(t, *kept.last(t), ours("v1", ""))
	written := w.byID(rec.ProviderID)
	wantRecord(t, rec, ours("v1", written.ID))
	w.wantRecords(cassim.Record{
		ID: written.ID, Zone: "example.com", RR: "_dnsauth.www", FQDN: "_dnsauth.www.example.com", Type: "TXT",
		Value: "v1",
		TTL:   600, Line: "default", Since: written.Since,
	})
	cleanUp(t, solver, rec)
	w.wantRecords()
	w.wantCalls("AddDomainRecord", "DeleteDomainRecord")
}

func TestWhatIsPresentedCanBeSeenUntilItIsCleanedUp(t *testing.T) {
	w := start(t, "example.com")
	solver, look := w.solver(), &dcv.SelfCheck{Nameservers: []string{w.DNSAddr()}}
	for _, ch := range []dcv.Challenge{
		challenge("v1"),
		{Domain: "example.com", RecordName: "_dnsauth", RecordType: "CNAME", RecordValue: "v1.dcv.example.net"},
	} {
		rec := present(t, solver, ch, nil, new(claims).claim)
		if seen, err := look.Check(t.Context(), rec); err != nil || !seen.Visible {
			t.Errorf("%s: got %+v, %v", ch.RecordType, seen, err)
		}
		cleanUp(t, solver, rec)
		if seen, err := look.Check(t.Context(), rec); err != nil || seen.Visible || len(seen.Seen) > 0 {
			t.Errorf("%s, cleaned up: got %+v, %v", ch.RecordType, seen, err)
		}
	}
}

func TestPresentingAgainWritesNothing(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	first := present(t, solver, challenge("v1"), nil, new(claims).claim)
	written := w.byID(first.ProviderID)
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord")
	for range 2 {
		wantRecord(t, present(t, solver, challenge("v1"), &first, noClaim(t)), first)
		w.wantCalls("DescribeSubDomainRecords")
	}
	w.wantRecords(written)
}

func TestARecordWhoseAddWasNotAnsweredIsOursAllTheSame(t *testing.T) {
	for _, executed := range []bool{true, false} {
		w := start(t, "example.com")
		solver := w.solver()
		w.Inject(cassim.Fault{Action: "AddDomainRecord", Kind: cassim.DropReply, Executed: executed})
		var kept claims
		_, err := solver.Present(t.Context(), challenge("v1"), nil, kept.claim)
		if wantSafe(t, err); err == nil {
			t.Fatal("the reply was dropped")
		}
		if got := len(w.Records("")); (got == 1) != executed {
			t.Fatalf("there are %d records", got)
		}
		rec := present(t, solver, challenge("v1"), kept.last(t), kept.claim)
		written := w.byID(rec.ProviderID)
		wantRecord(t, rec, ours("v1", written.ID))
		w.wantRecords(written)
		cleanUp(t, solver, rec)
		w.wantRecords()
	}
}

func TestWhatIsNotClaimedIsNotWritten(t *testing.T) {
	w := start(t, "example.com")
	conflict := errors.New("the order was changed meanwhile")
	_, err := w.solver().Present(t.Context(), challenge("v1"), nil, func(context.Context, dcv.Record) error {
		return conflict
	})
	if !errors.Is(err, conflict) {
		t.Errorf("got %v", err)
	}
	w.wantRecords()
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords")
}

func TestOurRecordIsFoundAmongMoreThanAPage(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim) // listed last, as the oldest
	var all []cassim.Record
	for i := range 60 {
		all = append(all,
			w.person("example.com", "_dnsauth.www", "TXT", fmt.Sprintf("other-%d", i)),
			w.person("example.com", "_dnsauth.www", "A", fmt.Sprintf("192.0.2.%d", i)))
	}
	all = append(all, w.byID(rec.ProviderID))
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord")
	claimed := ours("v1", "")
	wantRecord(t, present(t, solver, challenge("v1"), &claimed, noClaim(t)), rec)
	w.wantCalls("DescribeSubDomainRecords", "DescribeSubDomainRecords")
	w.wantRecords(all...)
}

func TestEachFormOfTheNameMeansTheSameRecord(t *testing.T) {
	forms := map[string][]string{
		"www.example.com": {
			"_dnsauth.www", "_dnsauth.www.", "_DNSAUTH.WWW", "_dnsauth.www.example.com", "_dnsauth.www.example.com.",
			"_Dnsauth.www.Example.COM",
		},
		"*.www.example.com": {"_dnsauth.www", "_dnsauth.www.example.com"},
	}
	w := start(t, "example.com")
	for domain, names := range forms {
		for _, name := range names {
			solver := w.solver()
			ch := challenge("v1")
			ch.Domain, ch.RecordName, ch.RecordType = domain, name, "txt"
			rec := present(t, solver, ch, nil, new(claims).claim)
			wantRecord(t, rec, ours("v1", rec.ProviderID))
			if written := w.byID(rec.ProviderID); written.RR != "_dnsauth.www" {
				t.Errorf("%q was written as %q", name, written.RR)
			}
			cleanUp(t, solver, rec)
		}
	}
}

func TestAChallengeThatCASHasNotFilledInCallsNobody(t *testing.T) {
	w := start(t, "example.com")
	for name, empty := range map[string]func(*dcv.Challenge){
		"no name":  func(ch *dcv.Challenge) { ch.RecordName = "" },
		"no value": func(ch *dcv.Challenge) { ch.RecordValue = "" },
	} {
		t.Run(name, func(t *testing.T) {
			ch := challenge("v1")
			empty(&ch)
			_, err := w.solver().Present(t.Context(), ch, nil, noClaim(t))
			wantTrouble(t, err, `the validation record for "www.example.com" is not known yet: CAS has not named it`)
		})
	}
	ch := challenge("v1")
	ch.RecordType = "mx"
	_, err := w.solver().Present(t.Context(), ch, nil, noClaim(t))
	wantProblem(t, err, `CAS asks for the MX record "_dnsauth.www" for "www.example.com", which is no `+
		`validation record: `+
		`that is a TXT or CNAME record at a name that begins with "_" and ends with "www.example.com" or a `+
		`domain above it. `+
		`Nothing is published. If the console of CAS shows a validation record for the order, publish that by hand: `+
		`the order goes on by itself`)
	w.wantCalls()
	if diff := cmp.Diff([]cassim.Record{}, w.Records("")); diff != "" {
		t.Error(diff)
	}
}
