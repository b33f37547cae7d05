// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// chain is a chain of n CNAMEs from a0.example.com.
func chain(n int) string {
	var records strings.Builder
	for i := range n {
		records.WriteString("a" + strconv.Itoa(i) + ".example.com. CNAME a" + strconv.Itoa(i+1) + ".example.com.\n")
	}
	return records.String()
}

func TestTheRecordStandsAtTheEndOfTheChain(t *testing.T) {
	records := chain(maxAliases) + `
_dnsauth.example.com. CNAME Example-COM.Validation.NET.
_dnsauth.www.example.com. TXT "v0"
`
	for name, want := range map[string]string{
		"_dnsauth.example.com":     "example-com.validation.net", // which does not exist yet
		"_DNSAUTH.Example.com.":    "example-com.validation.net",
		"_dnsauth.www.example.com": "_dnsauth.www.example.com",
		"nothing.example.com":      "nothing.example.com",
		"a0.example.com":           "a" + strconv.Itoa(maxAliases) + ".example.com",
	} {
		check := &SelfCheck{Nameservers: []string{serving(t, records).addr}}
		if got, err := check.Follow(t.Context(), name); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestAResolverThatTellsTheWholeChainInAnyOrderMisleadsNobody(t *testing.T) {
	server := &nameServer{}
	records := parse(t, "b.example.com. CNAME c.example.com.\na.example.com. CNAME b.example.com.")
	server.listen(t, func(reply *dns.Msg, _ bool) *dns.Msg {
		reply.Answer = records
		return reply
	})
	if got, err := (&SelfCheck{Nameservers: []string{server.addr}}).Follow(t.Context(), "a.example.com"); err != nil || got != "c.example.com" {
		t.Errorf("got %q, %v", got, err)
	}
	wantQuestions(t, server, "udp CNAME a.example.com.", "udp CNAME b.example.com.", "udp CNAME c.example.com.")
}

func TestAChainThatLeadsNowhereIsAProblem(t *testing.T) {
	tests := map[string]struct{ records, want string }{
		"to itself": {"a0.example.com. CNAME a0.example.com.",
			`the CNAME at "a0.example.com" leads in a circle, by the CNAME from "a0.example.com" to "a0.example.com": correct it`},
		"a circle": {"a0.example.com. CNAME b.example.com.\nb.example.com. CNAME A0.example.com.",
			`the CNAME at "a0.example.com" leads in a circle, by the CNAME from "b.example.com" to "a0.example.com": correct it`},
		"too long": {chain(maxAliases + 1),
			`the CNAME at "a0.example.com" leads to "a8.example.com" and on over more than 8 CNAMEs: let it lead to the end at once`},
		"to a registry": {"a0.example.com. CNAME com.", `the CNAME at "a0.example.com" leads to "com", where nobody can publish a record: correct it`},
		"to the root":   {"a0.example.com. CNAME .", `the CNAME at "a0.example.com" leads to "", where nobody can publish a record: correct it`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := (&SelfCheck{Nameservers: []string{serving(t, test.records).addr}}).Follow(t.Context(), "a0.example.com")
			wantProblem(t, err, test.want)
		})
	}
}

func TestAServerThatFailsIsNoProofThatThereIsNoDelegation(t *testing.T) {
	server := refusing(t, dns.RcodeServerFailure)
	inner := &remembering{}
	solver := &FollowSolver{Solver: inner, SelfCheck: &SelfCheck{Nameservers: []string{server.addr}}}
	ch := Challenge{Domain: "example.com", RecordName: "_dnsauth.example.com", RecordType: "TXT", RecordValue: "v1"}
	_, err := solver.Present(t.Context(), ch, nil, nil)
	wantTrouble(t, err, "no name server answered for CNAME _dnsauth.example.com: "+server.addr+": SERVFAIL")
	if len(inner.presented) > 0 {
		t.Errorf("presented %+v", inner.presented)
	}
}

// remembering is a solver that says what it was asked to present.
type remembering struct {
	presented []Challenge
	priors    []*Record
	err       error
}

func (s *remembering) Present(_ context.Context, ch Challenge, prior *Record, _ func(context.Context, Record) error) (Record, error) {
	s.presented, s.priors = append(s.presented, ch), append(s.priors, prior)
	return Record{}, s.err
}

func (s *remembering) CleanUp(context.Context, Record) error { return nil }

func TestTheChallengeIsPresentedWhereTheCNAMELeads(t *testing.T) {
	records := soa("example.com") + `
_dnsauth.www.example.com. CNAME www.validation.net.
_dnsauth.example.com. CNAME apex.validation.net.
`
	tests := map[string]struct {
		ch    Challenge
		prior *Record
		want  Challenge
		asks  bool
	}{
		"in full": {Challenge{"www.example.com", "_dnsauth.www.example.com.", "TXT", "v1", false}, nil,
			Challenge{"www.validation.net", "www.validation.net", "TXT", "v1", true}, true},
		"relative": {Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}, nil,
			Challenge{"www.validation.net", "www.validation.net", "TXT", "v1", true}, true},
		"relative, to the zone": {Challenge{"www.example.com", "_dnsauth", "txt", "v1", false}, nil,
			Challenge{"apex.validation.net", "apex.validation.net", "txt", "v1", true}, true},
		"not delegated": {Challenge{"shop.example.com", "_dnsauth.shop", "TXT", "v1", false}, nil,
			Challenge{"shop.example.com", "_dnsauth.shop", "TXT", "v1", false}, true},
		"a CNAME challenge": {Challenge{"www.example.com", "_dnsauth.www", "CNAME", "v1", false}, nil,
			Challenge{"www.example.com", "_dnsauth.www", "CNAME", "v1", false}, false},
		"not named yet": {Challenge{"www.example.com", "", "TXT", "", false}, nil,
			Challenge{"www.example.com", "", "TXT", "", false}, false},
		"claimed when it led elsewhere": {Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}, &Record{FQDN: "old.validation.net", Type: "TXT", Value: "v1"},
			Challenge{"old.validation.net", "old.validation.net", "TXT", "v1", true}, false},
		"claimed before it was delegated": {Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}, &Record{FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: "v1"},
			Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}, false},
		"another value was claimed": {Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}, &Record{FQDN: "old.validation.net", Type: "TXT", Value: "v0"},
			Challenge{"www.validation.net", "www.validation.net", "TXT", "v1", true}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server, inner := serving(t, records), &remembering{}
			solver := &FollowSolver{Solver: inner, SelfCheck: &SelfCheck{Nameservers: []string{server.addr}}}
			if _, err := solver.Present(t.Context(), test.ch, test.prior, nil); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(inner.presented, []Challenge{test.want}) {
				t.Errorf("presented %+v, want %+v", inner.presented, test.want)
			}
			if asked := server.questions(); (len(asked) > 0) != test.asks {
				t.Errorf("asked %q", asked)
			}
			if kept := inner.priors[0]; kept != nil && kept.Value != test.ch.RecordValue {
				t.Errorf("the claim on another record was passed on: %+v", kept)
			}
			if zone := inner.presented[0].Domain; RecordFQDN(inner.presented[0], zone) == "" && test.ch.RecordName != "" {
				t.Error("it has no full name")
			}
		})
	}
}

func TestAProblemWhereTheCNAMELeadsNamesBothNames(t *testing.T) {
	const want = `the record "_dnsauth.www" for "www.example.com" is delegated by CNAME to "www.validation.net": no zone`
	server := serving(t, soa("example.com")+"_dnsauth.www.example.com. CNAME www.validation.net.")
	solver := &FollowSolver{Solver: &remembering{err: &Problem{"no zone"}}, SelfCheck: &SelfCheck{Nameservers: []string{server.addr}}}
	ch := Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}
	_, err := solver.Present(t.Context(), ch, nil, nil)
	wantProblem(t, err, want)
	_, err = solver.Present(t.Context(), ch, &Record{FQDN: "www.validation.net", Type: "TXT", Value: "v1"}, nil)
	wantProblem(t, err, want)
}
