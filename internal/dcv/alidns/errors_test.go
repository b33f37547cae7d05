// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// where is how the errors of these tests begin.
const where = `the TXT record "_dnsauth.www.example.com" in zone "example.com": `

func TestAnAliasInTheWayIsToldWithItsTarget(t *testing.T) {
	tests := map[string]struct{ asked, stands, want string }{
		"of text": {"TXT", "Elsewhere.example.net", `the TXT record "_dnsauth.www.example.com" cannot be added to ` +
			`zone "example.com", because a CNAME to ` +
			`"elsewhere.example.net" is at the same name: delete the CNAME, or let cnameStrategy: Follow publish ` +
			`the validation record where it leads`},
		"of another alias": {"CNAME", "v2.dcv.example.net", `the CNAME record "_dnsauth.www.example.com" cannot be ` +
			`added to zone "example.com", because a CNAME to ` +
			`"v2.dcv.example.net" is at the same name: delete that one`},
		"of text that reads like it": {"TXT", "v1", `the TXT record "_dnsauth.www.example.com" cannot be added to ` +
			`zone "example.com", because a CNAME to ` +
			`"v1" is at the same name: delete the CNAME, or let cnameStrategy: Follow publish the validation record ` +
			`where it leads`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, "example.com")
			stands := w.person("example.com", "_dnsauth.www", "CNAME", test.stands)
			ch := challenge("v1")
			ch.RecordType = test.asked
			_, err := w.solver().Present(t.Context(), ch, nil, noClaim(t))
			wantProblem(t, err, test.want)
			w.wantRecords(stands)
		})
	}
}

func TestWhatExcludesTheRecordAndIsNotSeenIsAConflict(t *testing.T) {
	const conflict = "another record at the same name excludes it, such as a CNAME: delete that record, or validate " +
		"by another way"
	tests := map[string]struct {
		asked, kind, value string
		disabled           bool
	}{
		"a disabled alias":      {"TXT", "CNAME", "elsewhere.example.net", true},
		"text, where an alias ": {"CNAME", "TXT", "v1", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, "example.com")
			stands := w.person("example.com", "_dnsauth.www", test.kind, test.value)
			w.DisableRecord(stands.ID, test.disabled)
			stands = w.byID(stands.ID)
			ch := challenge("v1")
			ch.RecordType = test.asked
			_, err := w.solver().Present(t.Context(), ch, nil, new(claims).claim)
			wantProblem(t, err, strings.Replace(where, "TXT", test.asked, 1)+conflict)
			w.wantRecords(stands)
		})
	}
}

func TestARecordThatIsDisabledIsAProblemWhoeverDidIt(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	rec := present(t, solver, challenge("v1"), nil, new(claims).claim)
	w.DisableRecord(rec.ProviderID, true)
	for _, prior := range []*dcv.Record{nil, &rec} {
		_, err := solver.Present(t.Context(), challenge("v1"), prior, noClaim(t))
		wantProblem(t, err, `the TXT record "_dnsauth.www.example.com" in zone "example.com" has the right value `+
			`and is disabled: enable it in Alibaba Cloud DNS, or delete it`)
	}
	cleanUp(t, solver, rec)
	w.wantRecords()
}

func TestAFullNameIsAProblem(t *testing.T) {
	w := start(t, "example.com")
	for i := range 90 {
		w.AddRecord("example.com", "_dnsauth.www", "TXT", fmt.Sprintf("other-%d", i))
	}
	_, err := w.solver().Present(t.Context(), challenge("v1"), nil, new(claims).claim)
	wantProblem(t, err, where+"the name has as many records of this type as are allowed: delete those that are no "+
		"longer needed")
}

func TestCodesThatAPersonHasToSolveSayHow(t *testing.T) {
	const notHeld = "the zone is not in the account of the solver's credentials: add it there, or use credentials " +
		"of the account that holds it"
	for code, remedy := range map[string]string{
		"DomainRecordConflict": "another record at the same name excludes it, such as a CNAME: delete that " +
			"record, or validate by another way",
		"DomainRecordLocked": "the record is locked: unlock it in Alibaba Cloud DNS",
		"DomainForbidden": "the domain is barred in Alibaba Cloud DNS: clear that up with Alibaba Cloud, " +
			"or host the zone elsewhere",
		"QuotaExceeded.Record": "the name has as many records of this type as are allowed: delete those that " +
			"are no longer needed",
		"RecordForbidden.BlackHole": "the domain is in a black hole because of an attack: wait until Alibaba Cloud " +
			"lifts it, or move the zone",
		"IncorrectDomainUser":       notHeld,
		"InvalidDomainName.NoExist": notHeld,
	} {
		t.Run(code, func(t *testing.T) {
			w := start(t, "example.com")
			_, err := w.refusing("AddDomainRecord", 400, code).Present(t.Context(), challenge("v1"), nil,
				new(claims).claim)
			wantProblem(t, err, where+remedy)
		})
	}
}

func TestARecordThatIsRefusedAsDuplicateAndNotListedIsWaitedFor(t *testing.T) {
	w := start(t, "example.com")
	_, err := w.refusing("AddDomainRecord", 400, "DomainRecordDuplicate").Present(t.Context(), challenge("v1"), nil,
		new(claims).claim)
	wantTrouble(t, err, `the TXT record "_dnsauth.www.example.com" in zone "example.com" exists already, but is `+
		`not listed yet`)
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "DescribeSubDomainRecords")
}
