// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestOnlyNamesThatPublicDNSCanHavePass(t *testing.T) {
	const private = ` cannot have a public certificate, because `
	refused := func(name, suffix string) string {
		return `"` + name + `"` + private + "." + suffix +
			" is not for public hosts: use a private CA, or a name below a domain of yours"
	}
	for name, want := range map[string]string{
		"example.com": "", "www.example.com.cn.": "", "*.example.com": "", "例子.中国": "", "me.github.io": "",
		"test.example.com":      "",
		"localhost.example.com": "", "latest.com": "", "example.local.com": "",
		"localhost":                     refused("localhost", "localhost"),
		"web.default.svc.cluster.local": refused("web.default.svc.cluster.local", "local"),
		"vault.INTERNAL.":               refused("vault.INTERNAL.", "internal"),
		"a.test":                        refused("a.test", "test"),
		"a.example":                     refused("a.example", "example"),
		"a.invalid":                     refused("a.invalid", "invalid"),
		"nas.home.arpa":                 refused("nas.home.arpa", "arpa"),
		"1.2.0.192.in-addr.arpa":        refused("1.2.0.192.in-addr.arpa", "arpa"),
		"*.lan":                         refused("*.lan", "lan"),
		"192.0.2.1":                     `"192.0.2.1" is an IP address: only DNS names can be ordered`,
		"[2001:db8::1]":                 `"[2001:db8::1]" is an IP address: only DNS names can be ordered`,
		"2001:DB8::1":                   `"2001:DB8::1" is an IP address: only DNS names can be ordered`,
		"web.default.svc": `"web.default.svc" cannot have a public certificate, because "svc" is no ` +
			`top-level domain of public DNS: use a name below a domain of yours`,
		"com.cn": `"com.cn" cannot have a certificate, because "com.cn" belongs to a registry: use a name below a ` +
			`domain of yours`,
		"*.com": `"*.com" cannot have a certificate, because "com" belongs to a registry: use a name below a ` +
			`domain of yours`,
	} {
		err := CheckPublicName(name)
		switch {
		case want != "":
			wantProblem(t, err, want)
		case err != nil:
			t.Errorf("%q: %v", name, err)
		}
	}
}

// authority answers as a zone's own server does, and takes all of DNS for its own.
func authority(t *testing.T, zone string) *nameServer {
	t.Helper()
	s := &nameServer{}
	s.publish(t, zone)
	s.listen(t, func(reply *dns.Msg, _ bool) *dns.Msg {
		s.resolve(reply)
		reply.Authoritative = true
		return reply
	})
	return s
}

func TestAZoneThatItsOwnServersDoNotKnowIsRefused(t *testing.T) {
	const lame = `the zone "example.com" of "*.example.com" is delegated to localhost, and none of them knows it: ` +
		`add the zone there, or correct its name servers at the registrar`
	resolver := serving(t, delegated("example.com"))
	tests := map[string]struct {
		server *nameServer
		want   string
	}{
		"knows it":                {authority(t, soa("example.com")), ""},
		"refuses":                 {refusing(t, dns.RcodeRefused), lame},
		"fails":                   {refusing(t, dns.RcodeServerFailure), lame},
		"knows another":           {authority(t, soa("example.net")), lame},
		"answers from its memory": {serving(t, soa("example.com")), lame},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := authoritative(t, resolver, test.server).CheckDelegation(t.Context(), "*.example.com")
			if test.want != "" {
				wantProblem(t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
			wantQuestions(t, test.server, "udp SOA example.com.")
		})
	}
}

func TestServersThatDoNotAnswerAreNoProofOfALameDelegation(t *testing.T) {
	resolver := serving(t, delegated("example.com"))
	gone := &nameServer{addr: down(t)}
	check := authoritative(t, resolver, gone)
	_, port, _ := strings.Cut(gone.addr, ":")
	wantTrouble(t, check.CheckDelegation(t.Context(), "example.com"), "no name server answered for SOA "+
		"example.com: localhost:"+port+": read: connection refused")
	check.Authoritative = false // there is no way out on port 53
	if err := check.CheckDelegation(t.Context(), "example.com"); err != nil {
		t.Error(err)
	}
}

func TestAPrecheckRefusesWhatIsNotSwitchedOff(t *testing.T) {
	const caa = `CAA at "example.com" allows no CA: add 0 issue "globalsign.com"`
	const noZone = `DNS knows no zone that holds "example.com": register the domain and delegate it to name ` +
		`servers, or correct the name`
	const internal = `"a.test" cannot have a public certificate, because .test is not for public hosts: use a ` +
		`private CA, or a name below a domain of yours`
	const forbidding = "example.com. CAA 0 issue \";\"\n"
	tests := map[string]struct {
		records, name string
		precheck      Precheck
		want          string
		asked         []string
	}{
		"all is well": {soa("example.com"), "example.com", Precheck{}, "",
			[]string{"udp SOA example.com.", "udp CAA example.com.", "udp CAA com."}},
		"internal": {soa("a.test"), "a.test", Precheck{}, internal, nil},
		"internal, taken": {soa("a.test"), "a.test", Precheck{Skip: []Check{PublicNameCheck}}, "",
			[]string{"udp SOA a.test.", "udp CAA a.test.", "udp CAA test."}},
		"no zone": {forbidding, "example.com", Precheck{}, noZone, []string{"udp SOA example.com."}},
		"no zone, taken": {forbidding, "example.com", Precheck{Skip: []Check{ZoneCheck}}, caa,
			[]string{"udp CAA example.com."}},
		"forbidden": {soa("example.com") + forbidding, "example.com", Precheck{}, caa,
			[]string{"udp SOA example.com.", "udp CAA example.com."}},
		"forbidden, left": {soa("example.com") + forbidding, "example.com", Precheck{Skip: []Check{CAACheck}}, "",
			[]string{"udp SOA example.com."}},
		"everything left": {"", "a.test", Precheck{Skip: []Check{PublicNameCheck, ZoneCheck, CAACheck}}, "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := serving(t, test.records)
			test.precheck.SelfCheck = &SelfCheck{Nameservers: []string{server.addr}}
			err := test.precheck.Check(t.Context(), test.name, []string{"globalsign.com"})
			if test.want != "" {
				wantProblem(t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
			wantQuestions(t, server, test.asked...)
		})
	}
}

func TestARefusalCountsMoreThanWhatCouldNotBeChecked(t *testing.T) {
	server := &nameServer{}
	server.publish(t, `example.com. CAA 0 issue ";"`)
	server.listen(t, func(reply *dns.Msg, _ bool) *dns.Msg {
		if server.resolve(reply); reply.Question[0].Qtype == dns.TypeSOA {
			reply.Rcode = dns.RcodeServerFailure
		}
		return reply
	})
	precheck := &Precheck{SelfCheck: &SelfCheck{Nameservers: []string{server.addr}}}
	wantProblem(t, precheck.Check(t.Context(), "example.com", []string{"globalsign.com"}),
		`CAA at "example.com" allows no CA: add 0 issue "globalsign.com"`)
	wantTrouble(t, precheck.Check(t.Context(), "example.com", []string{}),
		`the zone of "example.com" cannot be looked up: no name server answered for SOA example.com: `+server.addr+
			": SERVFAIL")
}
