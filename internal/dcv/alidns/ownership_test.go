// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"context"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

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
	stands := w.person("example.com", "_dnsauth.www", "TXT", "v1") // CAS may do that (docs/design/cas.md §5.3)
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
