// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// The name servers of a zone are looked up as hosts, so the zones of these tests are delegated to localhost.
func delegated(zone string) string { return soa(zone) + zone + ". NS localhost.\n" }

func authoritative(t *testing.T, resolver, authority *nameServer) *SelfCheck {
	t.Helper()
	_, port, found := strings.Cut(authority.addr, ":")
	if !found {
		t.Fatal(authority.addr)
	}
	return &SelfCheck{Nameservers: []string{resolver.addr}, Authoritative: true, AuthoritativePort: port}
}

func TestTheZonesOwnServersAreBelievedRatherThanAStaleResolver(t *testing.T) {
	tests := map[string]struct {
		resolver, authority string
		want                Observation
	}{
		"the resolver does not show it yet": {"", "_dnsauth.example.com. TXT v1", Observation{Visible: true}},
		"the resolver shows an earlier one": {"_dnsauth.example.com. TXT v0\n", "_dnsauth.example.com. TXT v1",
			Observation{Visible: true}},
		"the resolver shows it, and it went": {"_dnsauth.example.com. TXT v1\n", "", Observation{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			resolver, authority := serving(t, test.resolver+delegated("example.com")), serving(t, test.authority)
			got, err := authoritative(t, resolver, authority).Check(t.Context(), txt("v1"))
			if err != nil {
				t.Fatal(err)
			}
			wantSeen(t, got, test.want)
			wantQuestions(t, authority, "udp TXT _dnsauth.example.com.")
		})
	}
}

func TestTheServersAreThoseOfTheZoneThatTheWorldIsDelegatedTo(t *testing.T) {
	resolver := serving(t, delegated("example.com")+delegated("shop.example.com"))
	authority := serving(t, "_dnsauth.shop.example.com. TXT v1")
	// as an account with the parent has it
	record := Record{FQDN: "_dnsauth.shop.example.com", Type: "TXT", Value: "v1", Zone: "example.com"}
	got, err := authoritative(t, resolver, authority).Check(t.Context(), record)
	if err != nil || !got.Visible {
		t.Errorf("got %+v, %v", got, err)
	}
	if asked := resolver.questions(); !slices.Contains(asked, "udp NS shop.example.com.") ||
		slices.Contains(asked, "udp NS example.com.") {
		t.Errorf("asked %q", asked)
	}
}

func TestAZoneWithoutServersIsAProblem(t *testing.T) {
	resolver, authority := serving(t, soa("example.com")), serving(t, "")
	_, err := authoritative(t, resolver, authority).Check(t.Context(), txt("v1"))
	wantProblem(t, err, `DNS names no name servers for the zone "example.com": check its delegation`)
	resolver.publish(t, "")
	_, err = authoritative(t, resolver, authority).Check(t.Context(), txt("v1"))
	wantProblem(t, err, `DNS knows no zone that holds "_dnsauth.example.com": register the domain and delegate it `+
		`to name servers, or correct the name`)
	wantQuestions(t, authority)
}

func TestTheZonesServersAreNotFoundThroughAResolverThatFails(t *testing.T) {
	resolver, authority := refusing(t, dns.RcodeServerFailure), serving(t, "_dnsauth.example.com. TXT v1")
	_, err := authoritative(t, resolver, authority).Check(t.Context(), txt("v1"))
	if _, isProblem := errors.AsType[*Problem](err); err == nil || isProblem {
		t.Errorf("got %v", err)
	}
}
