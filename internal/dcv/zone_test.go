// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"testing"

	"github.com/miekg/dns"
)

func TestTheZoneIsTheNearestNameWithAnSOAOfItsOwn(t *testing.T) {
	records := soa("com") + soa("example.com") + soa("shop.example.com") + soa("xn--fsqu00a.xn--fiqs8s") + soa("example.net") + `
www.example.com.  A     192.0.2.1
alias.example.com. CNAME example.net.
a.b.example.com.  TXT   "deep"
`
	tests := map[string]struct{ name, want string }{
		"the zone itself":                             {"example.com", "example.com"},
		"a host":                                      {"www.example.com", "example.com"},
		"a name that does not exist":                  {"_dnsauth.nothing.example.com", "example.com"},
		"a name with others below it only":            {"b.example.com", "example.com"},
		"a sub-zone":                                  {"shop.example.com", "shop.example.com"},
		"a name in a sub-zone":                        {"_dnsauth.www.shop.example.com", "shop.example.com"},
		"an alias of a zone elsewhere is none itself": {"alias.example.com", "example.com"},
		"a name below an alias":                       {"_dnsauth.alias.example.com", "example.com"},
		"a wildcard":                                  {"*.example.com", "example.com"},
		"upper case and a dot":                        {"WWW.SHOP.Example.COM.", "shop.example.com"},
		"Unicode":                                     {"www.例子.中国", "xn--fsqu00a.xn--fiqs8s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check := &SelfCheck{Nameservers: []string{serving(t, records).addr}}
			got, err := check.FindZone(t.Context(), test.name)
			if err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestARegistrysZoneIsNeitherAskedForNorFound(t *testing.T) {
	tests := map[string]struct {
		name  string
		asked []string
	}{
		"one label": {"www.example.com", []string{"udp SOA www.example.com.", "udp SOA example.com."}},
		"two":       {"example.com.cn", []string{"udp SOA example.com.cn."}},
		"itself":    {"com.cn", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := serving(t, soa("com")+soa("cn")+soa("com.cn"))
			check := &SelfCheck{Nameservers: []string{server.addr}}
			zone, err := check.FindZone(t.Context(), test.name)
			wantProblem(t, err, `DNS knows no zone that holds "`+test.name+`": register the domain and delegate it `+
				`to name servers, or correct the name`)
			if zone != "" {
				t.Errorf("got %q as well", zone)
			}
			wantQuestions(t, server, test.asked...)
		})
	}
}

func TestAZoneThatWasDelegatedSinceIsFoundAtOnce(t *testing.T) {
	server := serving(t, soa("example.com"))
	check := &SelfCheck{Nameservers: []string{server.addr}}
	for _, step := range []struct{ records, want string }{
		{soa("example.com"), "example.com"},
		{soa("example.com") + soa("www.example.com"), "www.example.com"},
		{soa("example.com"), "example.com"},
	} {
		server.publish(t, step.records)
		if got, err := check.FindZone(t.Context(), "www.example.com"); err != nil || got != step.want {
			t.Errorf("got %q, %v, want %q", got, err, step.want)
		}
	}
}

func TestAServerThatFailsIsNoProofThatThereIsNoZone(t *testing.T) {
	server := refusing(t, dns.RcodeServerFailure)
	check := &SelfCheck{Nameservers: []string{server.addr}}
	_, err := check.FindZone(t.Context(), "www.example.com")
	wantTrouble(t, err, "no name server answered for SOA www.example.com: "+server.addr+": SERVFAIL")
	wantQuestions(t, server, "udp SOA www.example.com.") // to go on upwards would find the wrong zone
}

func TestOneResolverThatAnswersIsEnoughToFindAZone(t *testing.T) {
	good := serving(t, soa("example.com"))
	check := &SelfCheck{Nameservers: []string{refusing(t, dns.RcodeRefused).addr, down(t), good.addr}}
	if got, err := check.FindZone(t.Context(), "www.example.com"); err != nil || got != "example.com" {
		t.Errorf("got %q, %v", got, err)
	}
}
