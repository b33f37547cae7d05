// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

func TestWhatIsGoneAlreadyIsCleanedUp(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	other := w.person("example.com", "_dnsauth.www", "TXT", "v2")
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim)
	cleanUp(t, solver, rec)
	cleanUp(t, solver, rec)
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord", "DeleteDomainRecord",
		"DeleteDomainRecord")
	cleanUp(t, solver, ours("v1", "")) // claimed, and never written
	w.wantCalls("DescribeSubDomainRecords")
	w.wantRecords(other)
}

func TestWithTheZoneTheRecordIsGone(t *testing.T) {
	w := start(t, "example.com")
	anothers := w.person("example.org", "_dnsauth.www", "TXT", "v1")
	for name, rec := range map[string]dcv.Record{
		"claimed, and no account has the zone": {FQDN: "_dnsauth.gone.example", Type: "TXT", Value: "v1",
			Zone: "gone.example"},
		"claimed, and another account has it": {FQDN: "_dnsauth.www.example.org", Type: "TXT", Value: "v1",
			Zone: "example.org"},
		"written, and no account has the zone": {FQDN: "_dnsauth.gone.example", Type: "TXT", Value: "v1",
			Zone: "gone.example", ProviderID: "1"},
		"written, and another account has it": {FQDN: "_dnsauth.www.example.org", Type: "TXT", Value: "v1",
			Zone: "example.org", ProviderID: anothers.ID},
	} {
		t.Run(name, func(t *testing.T) { cleanUp(t, w.solver(), rec) })
	}
	w.wantRecords(anothers)
}

func TestEachCodeThatSaysThatTheZoneIsGoneEndsACleanUp(t *testing.T) {
	for _, code := range []string{"IncorrectDomainUser", "InvalidDomainName.NoExist", "DomainRecordNotBelongToUser"} {
		w := start(t, "example.com")
		cleanUp(t, w.refusing("DeleteDomainRecord", 400, code), ours("v1", "1"))
	}
}

func TestForeignRecordsAreLeftWithoutACall(t *testing.T) {
	w := start(t, "example.com")
	stands := w.person("example.com", "_dnsauth.www", "TXT", "v1")
	cleanUp(t, w.solver(), theirs("v1", stands.ID))
	cleanUp(t, w.solver(), theirs("v1", ""))
	cleanUp(t, w.solver(), dcv.Record{Type: "TXT", Value: "v1"}) // never located
	w.wantCalls()
	w.wantRecords(stands)
}

func TestOnlyTheRecordWithTheIDIsRemoved(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim)
	w.RemoveRecord(rec.ProviderID)
	stands := w.person("example.com", "_dnsauth.www", "TXT", "v1")
	cleanUp(t, solver, rec)
	w.wantRecords(stands)
}

func TestARecordAtAnotherNameOrOfAnotherValueIsNeverTheClaimedOne(t *testing.T) {
	w := start(t, "example.com")
	kept := w.person("example.com", "_dnsauth.www", "TXT", "v2")
	also := w.person("example.com", "_dnsauth", "TXT", "v1")
	alias := w.person("example.com", "_dnsauth.shop", "CNAME", "v1.dcv.example.net")
	cleanUp(t, w.solver(), ours("v1", ""))
	cleanUp(t, w.solver(), dcv.Record{FQDN: "_dnsauth.shop.example.com", Type: "TXT", Value: "v1.dcv.example.net",
		Zone: "example.com"})
	w.wantRecords(kept, also, alias)
}

func TestALockedRecordIsAProblemUntilItIsUnlocked(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim)
	w.LockRecord(rec.ProviderID, true)
	wantProblem(t, solver.CleanUp(t.Context(), rec),
		`the TXT record "_dnsauth.www.example.com" in zone "example.com": the record is locked: unlock it in `+
			`Alibaba Cloud DNS`)
	w.LockRecord(rec.ProviderID, false)
	cleanUp(t, solver, rec)
	w.wantRecords()
}
