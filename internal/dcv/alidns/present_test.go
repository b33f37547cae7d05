// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"context"
	"errors"
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
		ID: written.ID, Zone: "example.com", RR: "_dnsauth.www", FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: "v1",
		TTL: 600, Line: "default", Since: written.Since,
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
	_, err := w.solver().Present(t.Context(), challenge("v1"), nil, func(context.Context, dcv.Record) error { return conflict })
	if !errors.Is(err, conflict) {
		t.Errorf("got %v", err)
	}
	w.wantRecords()
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords")
}

func TestARecordThatStoodThereBeforeIsTheirs(t *testing.T) {
	tests := map[string]struct {
		kind, stands, asked string
	}{
		"text":                   {"TXT", "v1", "v1"},
		"an alias":               {"CNAME", "v1.dcv.example.net", "v1.dcv.example.net"},
		"an alias, written else": {"CNAME", "v1.dcv.example.net", "V1.dcv.Example.NET."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, "example.com")
			solver := w.solver()
			stands := w.person("example.com", "_dnsauth.www", test.kind, test.stands)
			ch := challenge(test.asked)
			ch.RecordType = test.kind
			want := theirs(test.asked, stands.ID)
			want.Type = test.kind
			rec := present(t, solver, ch, nil, noClaim(t))
			wantRecord(t, rec, want)
			wantRecord(t, present(t, solver, ch, &rec, noClaim(t)), want)
			w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "DescribeSubDomainRecords")
			cleanUp(t, solver, rec)
			w.wantCalls()
			w.wantRecords(stands)
		})
	}
}

func TestARecordThatSomebodyElseWroteMeanwhileIsTheirs(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	var stands cassim.Record
	rec := present(t, solver, challenge("v1"), nil, func(context.Context, dcv.Record) error {
		stands = w.person("example.com", "_dnsauth.www", "TXT", "v1") // after the look and before the add
		return nil
	})
	wantRecord(t, rec, theirs("v1", stands.ID))
	cleanUp(t, solver, rec)
	w.wantRecords(stands)
}

func TestARecordThatCameInThePlaceOfOursIsTheirs(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim)
	w.RemoveRecord(rec.ProviderID)
	stands := w.person("example.com", "_dnsauth.www", "TXT", "v1") // CAS may do that (CAS contract §4)
	again := present(t, solver, challenge("v1"), &rec, noClaim(t))
	wantRecord(t, again, theirs("v1", stands.ID))
	cleanUp(t, solver, again)
	w.wantRecords(stands)
}

func TestARecordThatVanishedIsWrittenAgainAndOurs(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	stood := w.person("example.com", "_dnsauth.www", "TXT", "v1")
	foreign := present(t, solver, challenge("v1"), nil, noClaim(t))
	mine := present(t, solver, challenge("v2"), nil, new(claims).claim)
	w.RemoveRecord(stood.ID)
	w.RemoveRecord(mine.ProviderID)
	for value, prior := range map[string]dcv.Record{"v1": foreign, "v2": mine} {
		var kept claims
		rec := present(t, solver, challenge(value), &prior, kept.claim)
		if rec.ProviderID == prior.ProviderID {
			t.Errorf("%s has the id of the record that went", value)
		}
		wantRecord(t, rec, ours(value, rec.ProviderID))
		claimed := kept.last(t)
		claimed.ProviderID = rec.ProviderID
		wantRecord(t, *claimed, rec)
		cleanUp(t, solver, rec)
	}
	w.wantRecords()
}

func TestAClaimOnAnotherRecordSaysNothing(t *testing.T) {
	for name, change := range map[string]func(*dcv.Record){
		"of another value":     func(rec *dcv.Record) { rec.Value = "v0" },
		"of another type":      func(rec *dcv.Record) { rec.Type = "CNAME" },
		"that was not located": func(rec *dcv.Record) { rec.FQDN = "" },
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, "example.com")
			solver := w.solver()
			stands := w.person("example.com", "_dnsauth.www", "TXT", "v1")
			claimed := ours("v1", "")
			change(&claimed)
			rec := present(t, solver, challenge("v1"), &claimed, noClaim(t))
			wantRecord(t, rec, theirs("v1", stands.ID))
			cleanUp(t, solver, rec)
			w.wantRecords(stands)
		})
	}
}

func TestTheRecordOfAnEarlierChallengeStays(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	old := present(t, solver, challenge("v1"), nil, new(claims).claim)
	standing := w.byID(old.ProviderID)
	rec := present(t, solver, challenge("v2"), &old, new(claims).claim)
	w.wantRecords(standing, w.byID(rec.ProviderID))
	cleanUp(t, solver, rec)
	w.wantRecords(standing)
}

func TestOthersAtTheSameNameStayAsTheyAre(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	others := []cassim.Record{
		w.person("example.com", "_dnsauth.www", "TXT", "v"),
		w.person("example.com", "_dnsauth.www", "TXT", "v11"),
		w.person("example.com", "_dnsauth.www", "TXT", "V1"),
		w.person("example.com", "_dnsauth.www", "TXT", `"v1"`),
		w.person("example.com", "_dnsauth.www", "TXT", " v1"),
		w.person("example.com", "_dnsauth.www", "A", "192.0.2.1"),
		w.person("example.com", "_dnsauth", "TXT", "v1"),
		w.person("example.com", "x._dnsauth.www", "TXT", "v1"),
		w.person("example.com", "www", "TXT", "v1"),
		w.person("example.org", "_dnsauth.www", "TXT", "v1"),
	}
	hidden := w.person("example.com", "_dnsauth.www", "TXT", "v0")
	w.DisableRecord(hidden.ID, true)
	others = append(others, w.byID(hidden.ID), w.onLine("telecom", "_dnsauth.www", "v1"))

	var kept claims
	rec := present(t, solver, challenge("v1"), nil, kept.claim)
	w.wantRecords(append(others, w.byID(rec.ProviderID))...)
	cleanUp(t, solver, rec)
	w.wantRecords(others...)

	present(t, solver, challenge("v1"), nil, kept.claim)
	cleanUp(t, solver, *kept.last(t)) // by value, the id being lost
	w.wantRecords(others...)
}

func TestOurRecordIsFoundAmongMoreThanAPage(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim) // listed last, as the oldest
	var all []cassim.Record
	for i := range 60 {
		all = append(all,
			w.person("example.com", "_dnsauth.www", "TXT", "other-"+string(rune('A'+i))),
			w.person("example.com", "_dnsauth.www", "A", "192.0.2."+string(rune('1'+i%9))+string(rune('0'+i/9))))
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
			"_dnsauth.www", "_dnsauth.www.", "_DNSAUTH.WWW", "_dnsauth.www.example.com", "_dnsauth.www.example.com.", "_Dnsauth.www.Example.COM",
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
	wantProblem(t, err, `CAS asks for a record of type "MX" for "www.example.com", and only TXT and CNAME are known: publish it by hand and use the solver "manual"`)
	w.wantCalls()
	if diff := cmp.Diff([]cassim.Record{}, w.Records("")); diff != "" {
		t.Error(diff)
	}
}
