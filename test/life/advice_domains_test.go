// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"net"
	"sync/atomic"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// domainLessons are about names that no CA issues for.
func domainLessons() map[string]lesson {
	private := advised{to: "use a private CA", says: []string{`use a private CA,`}, elsewhere: anotherKind}
	below := func(says string) advised {
		return advised{to: "use another name", says: []string{says}, billed: 1, follow: func(r *reader) string {
			return r.again(func(crt *cmapi.Certificate) {
				crt.Spec.CommonName, crt.Spec.DNSNames = gen.Domain, []string{gen.Domain}
			})
		}}
	}
	const name = `use a name below a domain of yours`
	return map[string]lesson{
		"a name of the cluster": {played(scenario{csr: named("db.corp.internal")}), []advised{
			private, below(`because \.internal is not for public hosts: use a private CA, or a name below a ` +
				`domain of yours`),
		}},
		"a name of no top-level domain": {played(scenario{csr: named("www.shop.zzz")}),
			[]advised{below(`because "zzz" is no top-level domain of public DNS: ` + name)}},
		"a name of a registry": {played(scenario{csr: named("co.uk")}), []advised{below(`because "co\.uk" belongs ` +
			`to a registry: ` + name)}},
	}
}

// parent is a resolver, and the one name server that zones are delegated to.
type parent struct {
	// isSilent tells of no name servers, isLame is a name server that knows no zone.
	isSilent, isLame atomic.Bool
}

// begin has zones' own servers asked, on a port of the loopback.
func (p *parent) begin(t *testing.T) *env.Env {
	return play(t, scenario{before: func(e *env.Env) {
		forward := func(w dns.ResponseWriter, query *dns.Msg) {
			if reply, err := dns.Exchange(query, e.Simulator.DNSAddr()); err == nil {
				_ = w.WriteMsg(reply) // whoever asked has gone
			}
		}
		resolver := primary.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
			if query.Question[0].Qtype != dns.TypeNS {
				forward(w, query)
				return
			}
			reply := new(dns.Msg).SetReply(query)
			if !p.isSilent.Load() {
				header := dns.RR_Header{Name: query.Question[0].Name, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 60}
				reply.Answer = []dns.RR{&dns.NS{Hdr: header, Ns: "localhost."}}
			}
			_ = w.WriteMsg(reply)
		}), nil)
		authority := primary.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
			if !p.isLame.Load() {
				forward(w, query)
				return
			}
			_ = w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeRefused))
		}), nil)
		_, port, err := net.SplitHostPort(authority)
		if err != nil {
			t.Fatal(err)
		}
		e.Configure = func(remote *access.Remote) {
			remote.SelfCheck = &dcv.SelfCheck{Nameservers: []string{resolver}, Authoritative: true,
				AuthoritativePort: port}
		}
		e.Restart()
	}})
}

// delegationLessons are about zones that are delegated to nobody, or to nobody who knows them.
func delegationLessons() map[string]lesson {
	silent, lame := &parent{}, &parent{}
	return map[string]lesson{
		"a zone without name servers": {func(t *testing.T) *env.Env {
			silent.isSilent.Store(true)
			return silent.begin(t)
		}, []advised{{
			to:   "check its delegation",
			says: []string{`DNS names no name servers for the zone "example\.com": check its delegation`}, billed: 1,
			follow: func(*reader) string { silent.isSilent.Store(false); return "www" },
		}}},
		"a zone that its name servers do not know": {func(t *testing.T) *env.Env {
			lame.isLame.Store(true)
			return lame.begin(t)
		}, []advised{
			{to: "add it there", says: []string{`the zone "example\.com" of "www\.example\.com" is delegated to ` +
				`localhost, and none of them knows it: add the zone there`}, billed: 1, follow: func(*reader) string {
				lame.isLame.Store(false)
				return "www"
			}},
			{to: "correct the name servers", says: []string{`or correct its name servers at the registrar`},
				elsewhere: "all name servers are asked on one port, and there is one host on the loopback"},
		}},
	}
}

// aliases are CNAMEs, each from the name before to the next one, which an issuer follows.
func aliases(names ...string) func(*testing.T) *env.Env {
	return played(scenario{issuer: following, before: func(e *env.Env) {
		for i := range len(names) - 1 {
			addAlias(e, names[i], names[i+1])
		}
	}})
}

const proofName, proofEnd = "_dnsauth.www.example.com", "end.example.com"

// aliasLessons are about CNAMEs that lead nowhere.
var aliasLessons = map[string]lesson{
	"a CNAME in a circle": {aliases(proofName, "a.example.com", proofName), []advised{{
		to: "correct it", says: []string{`the CNAME at "[^"]+" leads in a circle, by the CNAME from "([^"]+)" to ` +
			`"([^"]+)": correct it`}, billed: 1,
		follow: func(r *reader) string { return r.leads(r.words[0], proofEnd) },
	}}},
	"a chain of CNAMEs": {aliases(proofName, "a.example.com", "b.example.com", "c.example.com", "d.example.com",
		"e.example.com", "f.example.com", "g.example.com",
		"h.example.com", "i.example.com", proofEnd), []advised{{
		to: "let it lead to the end", says: []string{`the CNAME at "([^"]+)" leads to "[^"]+" and on over more than ` +
			`8 CNAMEs: let it lead to the end at once`}, billed: 1,
		follow: func(r *reader) string { return r.leads(r.words[0], proofEnd) },
	}}},
	"a CNAME to a registry": {aliases(proofName, "co.uk"), []advised{{
		to: "correct it", says: []string{`the CNAME at "([^"]+)" leads to "([^"]+)", where nobody can publish a ` +
			`record: correct it`}, billed: 1,
		follow: func(r *reader) string { return r.leads(r.words[0], proofEnd) },
	}}},
}
