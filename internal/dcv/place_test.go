// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"errors"
	"testing"

	"github.com/miekg/dns"
)

// Answers as the servers of a zone that has delegated another one below it.
func referring(t *testing.T, below string) *nameServer {
	t.Helper()
	s := &nameServer{}
	delegation := parse(t, below+". NS ns.elsewhere.net.")
	s.listen(t, func(reply *dns.Msg, _ bool) *dns.Msg {
		if dns.IsSubDomain(below+".", reply.Question[0].Name) {
			reply.Ns = delegation
		}
		return reply
	})
	return s
}

func TestARecordIsRefusedWhoseNameDNSHasDelegatedFurther(t *testing.T) {
	const deeper = `DNS serves "_dnsauth.x.deleg.example.com" from the zone "deleg.example.com", and the record ` +
		`would be put into the zone "example.com", where nobody looks for it: ` +
		`let the solver have the zone "deleg.example.com", choose another solver for this name, or delegate ` +
		`"_dnsauth.x.deleg.example.com" by a CNAME to a zone of the solver, with cnameStrategy: Follow`
	both := delegated("example.com") + delegated("deleg.example.com")
	tests := map[string]struct{ records, zone, want string }{
		"the same zone":             {both, "deleg.example.com", ""},
		"the same zone, in Unicode": {soa("xn--fsqu00a.com"), "例子.com", ""},
		"a zone below serves it":    {both, "example.com", deeper},
		"a zone above serves it":    {delegated("example.com"), "deleg.example.com", ""}, // DNS may know it elsewhere
		"DNS knows none":            {"", "example.com", ""},
		"nobody knows":              {both, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check := &SelfCheck{Nameservers: []string{serving(t, test.records).addr}}
			rec := Record{FQDN: "_dnsauth.x.deleg.example.com", Type: "TXT", Value: "v1", Zone: test.zone}
			if test.zone == "例子.com" {
				rec.FQDN = "_dnsauth.xn--fsqu00a.com"
			}
			err := check.CheckPlace(t.Context(), rec)
			if test.want != "" {
				wantProblem(t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAZoneThatOnlyOurResolversKnowRefusesNothing asks the servers of the zone above, if it may.
func TestAZoneThatOnlyOurResolversKnowRefusesNothing(t *testing.T) {
	resolver := serving(t, delegated("example.com")+delegated("deleg.example.com"))
	rec := Record{FQDN: "_dnsauth.x.deleg.example.com", Type: "TXT", Value: "v1", Zone: "example.com"}
	for name, test := range map[string]struct {
		above     *nameServer
		isRefused bool
	}{
		"it has delegated it":   {referring(t, "deleg.example.com"), true},
		"it has both":           {authority(t, delegated("example.com")+delegated("deleg.example.com")), true},
		"it knows none":         {authority(t, delegated("example.com")), false},
		"it refuses to answer":  {refusing(t, dns.RcodeRefused), false},
		"it has others below":   {referring(t, "other.example.com"), false},
		"nobody is there":       {&nameServer{addr: down(t)}, false},
		"it fails":              {refusing(t, dns.RcodeServerFailure), false},
		"it has one above that": {referring(t, "example.com"), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := authoritative(t, resolver, test.above).CheckPlace(t.Context(), rec)
			if _, isProblem := errors.AsType[*Problem](err); isProblem != test.isRefused || err != nil && !isProblem {
				t.Errorf("got %v", err)
			}
		})
	}
	resolver.questions()
	if err := authoritative(t, resolver, authority(t, delegated("example.com"))).CheckPlace(
		t.Context(), rec); err != nil {
		t.Error(err)
	}
	wantQuestions(t, resolver, "udp SOA _dnsauth.x.deleg.example.com.", "udp SOA x.deleg.example.com.",
		"udp SOA deleg.example.com.",
		"udp SOA example.com.", "udp NS example.com.")
}

func TestDNSThatDoesNotAnswerRefusesNoPlace(t *testing.T) {
	check := &SelfCheck{Nameservers: []string{refusing(t, dns.RcodeServerFailure).addr}}
	if err := check.CheckPlace(t.Context(), Record{FQDN: "_dnsauth.www.example.com", Zone: "example.com"}); err != nil {
		t.Error(err)
	}
}

func TestTheExpectedChallengePassesTheGate(t *testing.T) {
	for _, name := range []string{"www.example.com", "*.Example.com", "example.com.cn."} {
		if _, _, err := Prepare(ExpectedChallenge(name), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
