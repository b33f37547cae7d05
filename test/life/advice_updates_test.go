// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// updateLessons are about name servers that take dynamic updates, or do not.
func updateLessons() map[string]lesson {
	var server *primary.Server // of the life that was begun last
	begin := func(options cassim.Options, records []string, differs ...func(*env.Env, *v1alpha1.RFC2136Solver)) func(
		*testing.T) *env.Env {
		return func(t *testing.T) *env.Env {
			server = primary.Start(t, "example.com", records...)
			e := updated(t, server, options, differs...)
			e.Pass(12 * time.Minute)
			return e
		}
	}
	holds := func(secret string) func(*env.Env, *v1alpha1.RFC2136Solver) {
		return func(e *env.Env, _ *v1alpha1.RFC2136Solver) {
			(&reader{Env: e, words: []string{"tsig", e.Namespace}}).changesTheSecret(
				map[string]string{"secret": secret})
		}
	}
	refusing := func(code int) func(*env.Env, *v1alpha1.RFC2136Solver) {
		return func(*env.Env, *v1alpha1.RFC2136Solver) { server.Refuse(code) }
	}
	putsTheKey := func(r *reader) string {
		r.words = []string{"tsig", r.Namespace}
		r.changesTheSecret(map[string]string{"secret": server.Secret})
		return "www"
	}
	// elsewhere has the issuer name another server than that of the zone.
	elsewhere := func(zone string, code int) func(*env.Env, *v1alpha1.RFC2136Solver) {
		return func(e *env.Env, s *v1alpha1.RFC2136Solver) {
			other, before := primary.Start(e.T, zone), e.Configure
			other.Refuse(code)
			s.Nameserver = other.Addr
			e.Configure = func(remote *access.Remote) {
				before(remote)
				remote.Policy.Nameservers = append(remote.Policy.Nameservers, other.Addr)
			}
			e.Restart()
		}
	}
	corrects := func(change func(*v1alpha1.RFC2136Solver)) func(*reader) string {
		return func(r *reader) string {
			solver := theIssuer(r.Env).Spec.Solvers[0]
			change(solver.DNS.RFC2136)
			return r.solves(solver)
		}
	}
	namesTheServer := corrects(func(s *v1alpha1.RFC2136Solver) { s.Nameserver = server.Addr })
	removes := func(kind string) func(*reader) string {
		return func(r *reader) string { server.Remove(r.T, r.words[0], kind); return "www" }
	}
	asksForCNAME := cassim.Options{Knobs: cassim.Knobs{RecordType: cassim.RecordCNAME}}
	return map[string]lesson{
		"a TSIG key that is no base64": {begin(cassim.Options{}, nil, holds("%%%")), []advised{{
			to: "put it there as it is printed",
			says: []string{`the TSIG key "update-key\." is not in base64: put it into the Secret as ` +
				`tsig-keygen prints it`}, follow: putsTheKey, billed: 1,
		}}},
		"a TSIG key that the server does not know": {
			begin(cassim.Options{}, nil, func(_ *env.Env, s *v1alpha1.RFC2136Solver) { s.TSIGKeyName = "other-key" }),
			[]advised{
				{to: "correct its name", says: []string{`it does not know the TSIG key "other-key\.": correct ` +
					`tsigKeyName`, changedSolver}, billed: 1,
					follow: corrects(func(s *v1alpha1.RFC2136Solver) { s.TSIGKeyName = "update-key" })},
				{to: "configure it", says: []string{`, or configure the key there`}, elsewhere: "a name server " +
					"reads its keys when it starts"},
			}},
		"a TSIG key with another secret": {
			begin(cassim.Options{}, nil, holds(base64.StdEncoding.EncodeToString([]byte("another")))), []advised{{
				to: "correct the Secret", says: []string{`the TSIG key "update-key\." has another secret or ` +
					`algorithm there: correct tsigAlgorithm and the Secret`}, follow: putsTheKey, billed: 1,
			}}},
		"a zone that takes no updates": {begin(cassim.Options{}, nil, refusing(dns.RcodeRefused)), []advised{{
			to: "let it take them", says: []string{`refuses to change the zone "example\.com" \(REFUSED\): let the ` +
				`zone take updates there from the TSIG key "update-key\."`}, billed: 1,
			follow: func(r *reader) string { server.Refuse(dns.RcodeSuccess); return "www" },
		}}},
		"clocks that differ": {begin(cassim.Options{}, nil, func(*env.Env, *v1alpha1.RFC2136Solver) {
			server.SetSkew(time.Hour)
		}), []advised{{
			to: "set them", says: []string{`\(BADTIME\): its clock and the controller's differ by more than 5 ` +
				`minutes: set them`}, billed: 1,
			follow: func(*reader) string { server.SetSkew(0); return "www" },
		}}},
		"a server of another zone": {begin(cassim.Options{}, nil, elsewhere("example.net", dns.RcodeSuccess)),
			[]advised{
				{to: "name that of the zone", says: []string{`has no zone that holds "www\.example\.com": name the ` +
					`one that takes updates for it`, keptSolver}, follow: namesTheServer, billed: 1},
				{to: "choose another solver", says: []string{`or choose another solver for this name`},
					elsewhere: `"zone elsewhere" has it`},
			}},
		"a server that takes no updates": {
			begin(cassim.Options{}, nil, elsewhere("example.com", dns.RcodeNotImplemented)), []advised{
				{to: "name the primary", says: []string{`it takes no dynamic updates: name the primary server ` +
					`of the zone`, changedSolver}, follow: namesTheServer, billed: 1},
				{to: "choose another solver", says: []string{`or choose another solver for this name`, changedSolver},
					billed: 1, follow: func(r *reader) string {
						r.solves(v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{Manual: &v1alpha1.ManualSolver{}}})
						var record []string
						r.Until(12*time.Minute, func() bool {
							record = wantedRecord.FindStringSubmatch(readyMessage(r.Env, "again"))
							return record != nil
						})
						server.Add(r.T, fmt.Sprintf("%s. 300 IN TXT %q", record[1], record[2]))
						return "again"
					}},
			}},
		"updates without a key": {func(t *testing.T) *env.Env {
			server = primary.Start(t, "example.com")
			e := env.New(t, cassim.Options{Resolver: server.Addr})
			e.Configure = func(remote *access.Remote) {
				remote.SelfCheck = &dcv.SelfCheck{Nameservers: []string{server.Addr}}
			}
			e.Restart()
			e.Create(opaque(e.Namespace, "tsig", "secret", server.Secret))
			clusterIssuer(e, nil, nil, func(s *v1alpha1.IssuerSpec) {
				s.Solvers = []v1alpha1.Solver{
					{DNS: &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{Nameserver: server.Addr}}}}
			})
			request(e, gen.Domain)
			e.Pass(12 * time.Minute)
			return e
		}, []advised{
			{to: "let the zone take them", says: []string{`let the zone take updates there from the ` +
				`controller's address`}, billed: 1, follow: func(*reader) string {
				server.TakeUnsigned()
				return "www"
			}},
			{to: "name a key", says: []string{`, or name a TSIG key`, changedSolver}, billed: 1,
				follow: func(r *reader) string {
					issuer := &v1alpha1.AliyunClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: r.Namespace}}
					return r.solvesFor(issuer,
						v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
							Nameserver: server.Addr, TSIGKeyName: server.KeyName,
							TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{
								SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: "secret"},
						}}})
				}},
		}},
		"TXT records where a CNAME is to be": {begin(asksForCNAME, []string{`_dnsauth.www.example.com. 300 IN TXT ` +
			`"of long ago"`}), []advised{{
			to: "remove them", says: []string{`TXT records at "([^"]+)" are in the way of the CNAME that CAS asks ` +
				`for: remove them`}, follow: removes("TXT"), billed: 1,
		}}},
		"a CNAME where another one is to be": {begin(asksForCNAME, []string{"_dnsauth.www.example.com. 300 IN CNAME " +
			"long-ago.example.net."}), []advised{{
			to: "remove it", says: []string{`the CNAME at "([^"]+)" leads to "long-ago\.example\.net", and CAS asks ` +
				`for one that leads to "[^"]+": remove it`}, follow: removes("CNAME"), billed: 1,
		}}},
		"a CNAME where a TXT record is to be": {begin(cassim.Options{}, []string{"_dnsauth.www.example.com. 300 IN " +
			"CNAME proof.example.com."}), []advised{
			{to: "remove it", says: []string{`the CNAME at "([^"]+)", which leads to "[^"]+", is in the way of the ` +
				`TXT record: remove it`}, follow: removes("CNAME"), billed: 1},
			{to: "follow it", says: []string{`or let (cnameStrategy): (Follow) publish the record there`,
				changedSolver}, follow: (*reader).followsAliases, billed: 1},
		}},
	}
}
