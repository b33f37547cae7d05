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
	if got, err := (&SelfCheck{Nameservers: []string{server.addr}}).Follow(t.Context(), "a.example.com"); err != nil ||
		got != "c.example.com" {
		t.Errorf("got %q, %v", got, err)
	}
	wantQuestions(t, server, "udp CNAME a.example.com.", "udp CNAME *.example.com.", "udp CNAME b.example.com.",
		"udp CNAME *.example.com.", "udp CNAME c.example.com.")
}

// TestACNAMEThatAWildcardMakesUpIsNoDelegation asks a server that makes up answers as RFC 4592 says.
func TestACNAMEThatAWildcardMakesUpIsNoDelegation(t *testing.T) {
	const wildcard = "*.wc.example.com. CNAME lb.cloud.net.\n"
	tests := map[string]struct{ records, name, want string }{
		"one level below the wildcard": {wildcard, "_dnsauth.wc.example.com", "_dnsauth.wc.example.com"},
		"two levels below it": {wildcard, "_dnsauth.mon.wc.example.com",
			"_dnsauth.mon.wc.example.com"},
		"three levels below it": {wildcard, "_dnsauth.a.mon.wc.example.com",
			"_dnsauth.a.mon.wc.example.com"},
		"a host that exists ends its reach": {wildcard + "mon.wc.example.com. A 192.0.2.1",
			"_dnsauth.mon.wc.example.com", "_dnsauth.mon.wc.example.com"},
		"a delegation below it": {wildcard + "_dnsauth.mon.wc.example.com. CNAME " +
			"mon.validation.net.", "_dnsauth.mon.wc.example.com", "mon.validation.net"},
		"a delegation beside it": {wildcard + "_dnsauth.wc.example.com. CNAME wc.validation.net.",
			"_dnsauth.wc.example.com", "wc.validation.net"},
		"a delegation to where it leads, below it": {wildcard + "_dnsauth.mon.wc.example.com. CNAME lb.cloud.net.",
			"_dnsauth.mon.wc.example.com", "lb.cloud.net"},
		"a delegation to where it leads, beside it": {wildcard + "_dnsauth.wc.example.com. CNAME lb.cloud.net.",
			"_dnsauth.wc.example.com", "_dnsauth.wc.example.com"},
		"a wildcard where a delegation leads": {"_dnsauth.example.com. CNAME x.validation.net.\n*.validation.net. " +
			"CNAME lb.cloud.net.",
			"_dnsauth.example.com", "x.validation.net"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check := &SelfCheck{Nameservers: []string{serving(t, test.records).addr}}
			if got, err := check.Follow(t.Context(), test.name); err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestAChainThatLeadsNowhereIsAProblem(t *testing.T) {
	tests := map[string]struct{ records, want string }{
		"to itself": {"a0.example.com. CNAME a0.example.com.",
			`the CNAME at "a0.example.com" leads in a circle, by the CNAME from "a0.example.com" to ` +
				`"a0.example.com": correct it`},
		"a circle": {"a0.example.com. CNAME b.example.com.\nb.example.com. CNAME A0.example.com.",
			`the CNAME at "a0.example.com" leads in a circle, by the CNAME from "b.example.com" to ` +
				`"a0.example.com": correct it`},
		"too long": {chain(maxAliases + 1),
			`the CNAME at "a0.example.com" leads to "a8.example.com" and on over more than 8 CNAMEs: let it lead to ` +
				`the end at once`},
		"to a registry": {"a0.example.com. CNAME com.", `the CNAME at "a0.example.com" leads to "com", where nobody ` +
			`can publish a record: correct it`},
		"to the root": {"a0.example.com. CNAME .", `the CNAME at "a0.example.com" leads to "", where nobody can ` +
			`publish a record: correct it`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := (&SelfCheck{Nameservers: []string{serving(t, test.records).addr}}).Follow(
				t.Context(), "a0.example.com")
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

func (s *remembering) Present(_ context.Context, ch Challenge, prior *Record,
	_ func(context.Context, Record) error) (Record, error) {
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
		"claimed when it led elsewhere": {Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false},
			&Record{FQDN: "old.validation.net", Type: "TXT", Value: "v1"},
			Challenge{"old.validation.net", "old.validation.net", "TXT", "v1", true}, false},
		"claimed before it was delegated": {Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false},
			&Record{FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: "v1"},
			Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}, false},
		"another value was claimed": {Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false},
			&Record{FQDN: "old.validation.net", Type: "TXT", Value: "v0"},
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
			if zone := inner.presented[0].Domain; RecordFQDN(inner.presented[0], zone) == "" &&
				test.ch.RecordName != "" {
				t.Error("it has no full name")
			}
		})
	}
}

func TestAProblemWhereTheCNAMELeadsNamesBothNames(t *testing.T) {
	const want = `the record "_dnsauth.www" for "www.example.com" is delegated by CNAME to ` +
		`"www.validation.net": no zone`
	server := serving(t, soa("example.com")+"_dnsauth.www.example.com. CNAME www.validation.net.")
	solver := &FollowSolver{Solver: &remembering{err: &Problem{"no zone"}},
		SelfCheck: &SelfCheck{Nameservers: []string{server.addr}}}
	ch := Challenge{"www.example.com", "_dnsauth.www", "TXT", "v1", false}
	_, err := solver.Present(t.Context(), ch, nil, nil)
	wantProblem(t, err, want)
	_, err = solver.Present(t.Context(), ch, &Record{FQDN: "www.validation.net", Type: "TXT", Value: "v1"}, nil)
	wantProblem(t, err, want)
}

// placing is a solver that has one zone.
type placing struct {
	remembering
	zone string
}

func (s *placing) Place(_ context.Context, ch Challenge) (Record, error) {
	if !Within(ch.RecordName, s.zone) {
		return Record{}, &Problem{"no zone"}
	}
	return Record{FQDN: ch.RecordName, Type: ch.RecordType, Zone: s.zone}, nil
}

func TestThePlaceIsWhereTheCNAMELeads(t *testing.T) {
	const records = `
_dnsauth.www.example.com. CNAME www.validation.net.
_dnsauth.lost.example.com. CNAME lb.cloud.net.
_dnsauth.a.example.com. CNAME _dnsauth.a.example.com.
*.wc.example.com. CNAME lb.cloud.net.
`
	const circle = `the CNAME at "_dnsauth.a.example.com" leads in a circle, by the CNAME from ` +
		`"_dnsauth.a.example.com" to "_dnsauth.a.example.com": correct it`
	tests := map[string]struct {
		inner            Solver
		name             string
		fqdn, zone, want string
	}{
		"delegated": {&placing{zone: "validation.net"}, "www.example.com", "www.validation.net",
			"validation.net", ""},
		"not delegated": {&placing{zone: "example.com"}, "shop.example.com",
			"_dnsauth.shop.example.com", "example.com", ""},
		"a wildcard": {&placing{zone: "example.com"}, "mon.wc.example.com",
			"_dnsauth.mon.wc.example.com", "example.com", ""},
		"delegated out of all zones": {&placing{zone: "example.com"}, "lost.example.com", "", "", `the record ` +
			`"_dnsauth.lost.example.com" for "lost.example.com" is delegated by CNAME to "lb.cloud.net": no zone`},
		"in a circle":                    {&placing{zone: "example.com"}, "a.example.com", "", "", circle},
		"a solver that knows no zones":   {&remembering{}, "www.example.com", "www.validation.net", "", ""},
		"a solver that knows no circles": {&remembering{}, "a.example.com", "", "", circle},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			solver := &FollowSolver{
				Solver: test.inner, SelfCheck: &SelfCheck{Nameservers: []string{serving(t, records).addr}}}
			got, err := solver.Place(t.Context(), ExpectedChallenge(test.name))
			if test.want != "" {
				wantProblem(t, err, test.want)
			} else if err != nil || got.FQDN != test.fqdn || got.Zone != test.zone {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
