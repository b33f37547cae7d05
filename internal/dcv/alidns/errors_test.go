// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// where is how the errors of these tests begin.
const where = `the TXT record "_dnsauth.www.example.com" in zone "example.com": `

func TestAnAliasInTheWayIsToldWithItsTarget(t *testing.T) {
	tests := map[string]struct{ asked, stands, want string }{
		"of text": {"TXT", "Elsewhere.example.net", `the TXT record "_dnsauth.www.example.com" cannot be added to zone "example.com", because a CNAME to ` +
			`"elsewhere.example.net" is at the same name: delete the CNAME, or publish the validation record where it leads`},
		"of another alias": {"CNAME", "v2.dcv.example.net", `the CNAME record "_dnsauth.www.example.com" cannot be added to zone "example.com", because a CNAME to ` +
			`"v2.dcv.example.net" is at the same name: delete the CNAME, or publish the validation record where it leads`},
		"of text that reads like it": {"TXT", "v1", `the TXT record "_dnsauth.www.example.com" cannot be added to zone "example.com", because a CNAME to ` +
			`"v1" is at the same name: delete the CNAME, or publish the validation record where it leads`},
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
	const conflict = "another record at the same name excludes it, such as a CNAME: delete that record, or validate by another way"
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
		wantProblem(t, err, `the TXT record "_dnsauth.www.example.com" in zone "example.com" has the right value and is disabled: enable it in Alibaba Cloud DNS, or delete it`)
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
	wantProblem(t, err, where+"the name has as many records of this type as are allowed: delete those that are no longer needed")
}

func TestCodesThatAPersonHasToSolveSayHow(t *testing.T) {
	const notHeld = "the zone is not in the account of the solver's credentials: add it there, or use credentials of the account that holds it"
	for code, remedy := range map[string]string{
		"DomainRecordConflict":      "another record at the same name excludes it, such as a CNAME: delete that record, or validate by another way",
		"DomainRecordLocked":        "the record is locked: unlock it in Alibaba Cloud DNS",
		"DomainForbidden":           "the domain is barred in Alibaba Cloud DNS: clear that up with Alibaba Cloud, or host the zone elsewhere",
		"QuotaExceeded.Record":      "the name has as many records of this type as are allowed: delete those that are no longer needed",
		"RecordForbidden.BlackHole": "the domain is in a black hole because of an attack: wait until Alibaba Cloud lifts it, or move the zone",
		"IncorrectDomainUser":       notHeld,
		"InvalidDomainName.NoExist": notHeld,
	} {
		t.Run(code, func(t *testing.T) {
			w := start(t, "example.com")
			_, err := w.refusing("AddDomainRecord", 400, code).Present(t.Context(), challenge("v1"), nil, new(claims).claim)
			wantProblem(t, err, where+remedy)
		})
	}
}

func TestOtherCodesStayWhatTheCallSaid(t *testing.T) {
	tests := map[string]struct {
		status int
		kind   rpc.Kind
	}{
		"Throttling.User":     {400, rpc.KindThrottled},
		"Throttling":          {503, rpc.KindThrottled},
		"UnKnownError":        {400, rpc.KindOther},
		"InternalError":       {500, rpc.KindTransient},
		"ServiceUnavailable":  {503, rpc.KindTransient},
		"InvalidParameter.RR": {400, rpc.KindInvalid},
	}
	stages := map[string]string{
		"DescribeDomains":          "the zones of the Alibaba Cloud DNS account could not be listed: ",
		"DescribeSubDomainRecords": where,
		"AddDomainRecord":          where,
		"DeleteDomainRecord":       where,
	}
	for code, test := range tests {
		for action, begin := range stages {
			t.Run(code+" to "+action, func(t *testing.T) {
				w := start(t, "example.com")
				err := life(t, w.refusing(action, test.status, code))
				call := wantTrouble(t, err, fmt.Sprintf("%s%s: %s (HTTP %d): the message quotes the request and is not shown", begin, action, code, test.status))
				if call == nil || call.Kind != test.kind || call.Code != code {
					t.Errorf("got %+v", call)
				}
			})
		}
	}
}

// life presents and cleans up, and returns the first error.
func life(t *testing.T, solver *alidns.Solver) error {
	t.Helper()
	rec, err := solver.Present(t.Context(), challenge("v1"), nil, new(claims).claim)
	if err != nil {
		return err
	}
	return solver.CleanUp(t.Context(), rec)
}

func TestAPermissionThatIsMissingIsNamed(t *testing.T) {
	stages := map[string]string{
		"DescribeDomains":          "the zones of the Alibaba Cloud DNS account could not be listed: ",
		"DescribeSubDomainRecords": where,
		"AddDomainRecord":          where,
		"DeleteDomainRecord":       where,
	}
	for action, begin := range stages {
		t.Run(action, func(t *testing.T) {
			w := start(t, "example.com")
			w.DenyAction(keyID, action)
			solver := w.solver()
			call := wantTrouble(t, life(t, solver), begin+action+": Forbidden.RAM (HTTP 403): User not authorized to operate on the specified resource.")
			if call == nil || call.Kind != rpc.KindPermission || call.DeniedAction != "alidns:"+action {
				t.Errorf("got %+v", call)
			}
			w.AllowAction(keyID, action)
			if action == "DeleteDomainRecord" {
				cleanUp(t, solver, ours("v1", "")) // as after a crash
			}
			if err := life(t, solver); err != nil {
				t.Error(err)
			}
			w.wantRecords()
		})
	}
}

func TestKeysThatAreRefusedAreNotQuoted(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	for name, break_ := range map[string]func(){
		"disabled": func() { w.SetKeyDisabled(keyID, true) },
		"rotated": func() {
			w.SetKeyDisabled(keyID, false)
			w.RotateKey(keyID, cassim.Key{ID: keyID, Secret: "another", SecurityToken: token})
		},
	} {
		t.Run(name, func(t *testing.T) {
			break_()
			err := life(t, solver)
			if wantSafe(t, err); err == nil || !rpc.IsCredentials(err) {
				t.Errorf("got %v", err)
			}
			if err := solver.Probe(t.Context()); err == nil || !rpc.IsCredentials(err) {
				t.Errorf("the probe says %v", err)
			}
		})
	}
}

func TestAGatewayThatMisbehavesIsNoProblemOfThePerson(t *testing.T) {
	for _, kind := range []cassim.FaultKind{cassim.DropReply, cassim.Redirect307, cassim.HTML200} {
		for _, action := range []string{"DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord", "DeleteDomainRecord"} {
			w := start(t, "example.com")
			solver := w.solver()
			w.Inject(cassim.Fault{Action: action, Kind: kind, Executed: true})
			err := life(t, solver)
			wantSafe(t, err)
			if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem || rpc.KindOf(err) == "" {
				t.Errorf("%s of %s: got %v", kind, action, err)
			}
			cleanUp(t, solver, ours("v1", "")) // what follows heals it
			w.wantRecords()
		}
	}
}

func TestARecordThatIsRefusedAsDuplicateAndNotListedIsWaitedFor(t *testing.T) {
	w := start(t, "example.com")
	_, err := w.refusing("AddDomainRecord", 400, "DomainRecordDuplicate").Present(t.Context(), challenge("v1"), nil, new(claims).claim)
	wantTrouble(t, err, `the TXT record "_dnsauth.www.example.com" in zone "example.com" exists already, but is not listed yet`)
	w.wantCalls("DescribeDomains", "DescribeSubDomainRecords", "DescribeSubDomainRecords")
}

func TestALookEndsWithItsCaller(t *testing.T) {
	w := start(t, "example.com")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.solver().Present(ctx, challenge("v1"), nil, noClaim(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.wantCalls()
}

func TestTheProbeSaysWhetherThereIsAZoneToReadFromOneCall(t *testing.T) {
	w := start(t, "example.com", "example.net")
	if err := w.solver().Probe(t.Context()); err != nil {
		t.Error(err)
	}
	w.wantCalls("DescribeDomains")
	w.DenyAction(keyID, "DescribeDomains")
	call := wantTrouble(t, w.solver().Probe(t.Context()), "DescribeDomains: Forbidden.RAM (HTTP 403): User not authorized to operate on the specified resource.")
	if call == nil || call.DeniedAction != "alidns:DescribeDomains" {
		t.Errorf("got %+v", call)
	}
	wantProblem(t, start(t).solver().Probe(t.Context()),
		"the Alibaba Cloud DNS account of the solver's credentials has no zone: add one there, or use credentials of the account that holds the zones")
}

func TestAnEndpointThatCannotBeUsedIsToldWithoutQuotingIt(t *testing.T) {
	for url, want := range map[string]string{
		"http://alidns.aliyuncs.com":          "alidns: the endpoint must be https: http is for loopback hosts only",
		"https://user:password@example.com":   "alidns: the endpoint must be scheme and host only, such as https://cas.aliyuncs.com",
		"https://alidns.aliyuncs.com/?a=hush": "alidns: the endpoint must be scheme and host only, such as https://cas.aliyuncs.com",
	} {
		if _, err := alidns.New(alidns.Config{Endpoint: rpc.Endpoint{URL: url}, Credentials: credentials}); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", url, err)
		}
	}
	if _, err := alidns.New(alidns.Config{Credentials: credentials}); err != nil {
		t.Errorf("the default: %v", err)
	}
	if _, err := alidns.New(alidns.Config{}); err == nil || err.Error() != "alidns: no source of credentials is given" {
		t.Errorf("got %v", err)
	}
}
