// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

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
				wantCall(t, err, test.kind, "", fmt.Sprintf("%s%s: %s (HTTP %d): the message quotes the request and "+
					"is not shown", begin, action, code, test.status))
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
			wantCall(t, life(t, solver), rpc.KindPermission, "alidns:"+action,
				begin+action+": Forbidden.RAM (HTTP 403): User not authorized to operate on the specified resource.")
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

func TestARecordThatMayNotBeLookedForIsNotTakenForGone(t *testing.T) {
	const denied = where + "DescribeSubDomainRecords: Forbidden.RAM (HTTP 403): User not authorized to operate on " +
		"the specified resource."
	w := start(t, "example.com")
	stands := w.person("example.com", "_dnsauth.www", "TXT", "v1")
	w.DenyAction(keyID, "DescribeSubDomainRecords")
	// claimed, and only a lookup could tell whether it was written
	err := w.solver().CleanUp(t.Context(), ours("v1", ""))
	wantCall(t, err, rpc.KindPermission, "alidns:DescribeSubDomainRecords", denied)
	w.wantRecords(stands)

	w.RemoveRecord(stands.ID)
	w.AllowAction(keyID, "DescribeSubDomainRecords")
	_, err = w.solver().Present(t.Context(), challenge("v1"), nil, func(context.Context, dcv.Record) error {
		stands = w.person("example.com", "_dnsauth.www", "TXT", "v1")
		w.DenyAction(keyID, "DescribeSubDomainRecords")
		return nil
	})
	wantCall(t, err, rpc.KindPermission, "alidns:DescribeSubDomainRecords", denied)
	w.wantRecords(stands)
}

func TestKeysThatAreRefusedAreNotQuoted(t *testing.T) {
	w := start(t, "example.com")
	solver := w.solver()
	for name, spoil := range map[string]func(){
		"disabled": func() { w.SetKeyDisabled(keyID, true) },
		"rotated": func() {
			w.SetKeyDisabled(keyID, false)
			w.RotateKey(keyID, cassim.Key{ID: keyID, Secret: "another", SecurityToken: token})
		},
	} {
		t.Run(name, func(t *testing.T) {
			spoil()
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
		for _, action := range []string{"DescribeDomains", "DescribeSubDomainRecords", "AddDomainRecord",
			"DeleteDomainRecord"} {
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

// TestAListThatIsNullIsNotAnEmptyOne replaces lists of existing zones and records by null.
func TestAListThatIsNullIsNotAnEmptyOne(t *testing.T) {
	for action, what := range map[string]string{"DescribeDomains": "zones", "DescribeSubDomainRecords": "records"} {
		w := start(t, "example.com")
		begin := map[string]string{
			"DescribeDomains":          "the zones of the Alibaba Cloud DNS account could not be listed: ",
			"DescribeSubDomainRecords": where}[action]
		told := action + ": HTTP 200: success without the list of " + what + ": not an answer of the service"
		w.Inject(cassim.Fault{Action: action, Kind: cassim.NullLists, Executed: true, Times: -1})
		_, err := w.solver().Present(t.Context(), challenge("v1"), nil, noClaim(t))
		wantCall(t, err, rpc.KindUndecodable, "", begin+told)
		if action == "DescribeDomains" {
			_, err = w.solver().Place(t.Context(), dcv.ExpectedChallenge("www.example.com"))
			wantCall(t, err, rpc.KindUndecodable, "", begin+told)
			wantCall(t, w.solver().Probe(t.Context()), rpc.KindUndecodable, "", told)
			continue
		}
		stands := w.person("example.com", "_dnsauth.www", "TXT", "v1")
		wantCall(t, w.solver().CleanUp(t.Context(), ours("v1", "")), rpc.KindUndecodable, "", begin+told)
		w.wantRecords(stands)
	}
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
	wantCall(t, w.solver().Probe(t.Context()), rpc.KindPermission, "alidns:DescribeDomains",
		"DescribeDomains: Forbidden.RAM (HTTP 403): User not authorized to operate on the specified resource.")
	wantProblem(t, start(t).solver().Probe(t.Context()),
		"the Alibaba Cloud DNS account of the solver's credentials has no zone: add one there, or use credentials "+
			"of the account that holds the zones")
}

func TestAnEndpointThatCannotBeUsedIsToldWithoutQuotingIt(t *testing.T) {
	for url, want := range map[string]string{
		"http://alidns.aliyuncs.com": "alidns: the endpoint must be https: http is for loopback hosts only",
		"https://user:password@example.com": "alidns: the endpoint must be scheme and host only, such as " +
			"https://cas.aliyuncs.com",
		"https://alidns.aliyuncs.com/?a=hush": "alidns: the endpoint must be scheme and host only, such as " +
			"https://cas.aliyuncs.com",
	} {
		if _, err := alidns.New(
			alidns.Config{Endpoint: rpc.Endpoint{URL: url}, Credentials: credentials}); err == nil ||
			err.Error() != want {
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
