// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// lesson is a life that comes to a message without a golden file, and all that the message tells somebody to do.
type lesson struct {
	begin   func(*testing.T) *env.Env
	advised []advised
}

// played begins with a scenario.
func played(s scenario) func(*testing.T) *env.Env {
	return func(t *testing.T) *env.Env { t.Helper(); return play(t, s) }
}

// TestWhoeverDoesWhatASolverSaysGetsTheCertificate takes each life to its message, and does what that says with nothing
// but the words in it. What was mended is noticed within twelve minutes.
func TestWhoeverDoesWhatASolverSaysGetsTheCertificate(t *testing.T) {
	lessons := map[string]lesson{}
	for _, some := range []map[string]lesson{alidnsLessons, aliasLessons, solverLessons(), updateLessons(),
		domainLessons(), delegationLessons(), accessLessons(t)} {
		maps.Copy(lessons, some)
	}
	for name, l := range lessons {
		for _, a := range l.advised {
			if (a.follow == nil) == (a.elsewhere == "") {
				t.Errorf("%q: %q is followed, or else says why not", name, a.to)
			}
			if a.follow == nil {
				continue
			}
			t.Run(name+": "+a.to, func(t *testing.T) {
				e := l.begin(t)
				r := &reader{Env: e}
				r.reads(a.says)
				if left := imperative.FindString(r.unknown(l.advised)); left != "" {
					t.Errorf("somebody is told to %q, which nobody follows: %s", left, said(e))
				}
				request := a.follow(r)
				if request == "www" {
					r.Until(12*time.Minute, func() bool {
						return !regexp.MustCompile(a.says[0]).MatchString(r.conditions())
					})
				}
				r.isIssued(request)
				billed(t, e, a.billed)
				if err := e.Simulator.ForeignHarm(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// changedSolver is what an order that is paid for asks of whoever changes the solver in the issuer.
const changedSolver = `After a change of the solver in the issuer, delete the CertificateRequest: the next one goes ` +
	`on with this order, or has it given back`

// conditions are their messages, as told now.
func (r *reader) conditions() string {
	var messages strings.Builder
	for line := range strings.Lines(told(r.Env)) {
		if strings.HasPrefix(line, "         ") {
			messages.WriteString(line)
		}
	}
	return messages.String()
}

// unknown is what conditions say beside the advice that is known, or followed for a scenario with a golden file.
func (r *reader) unknown(all []advised) string {
	rest := r.conditions()
	known := []string{skipped, keptSolver, changedSolver}
	for _, a := range all {
		known = append(known, a.says...)
	}
	for _, says := range known {
		rest = regexp.MustCompile(says).ReplaceAllString(rest, "")
	}
	return rest
}

// solves gives the issuer another solver, and deletes the request. cert-manager makes the next one with the same key.
func (r *reader) solves(with v1alpha1.Solver) string {
	r.T.Helper()
	return r.solvesFor(r.issuer(), with)
}

func (r *reader) solvesFor(issuer client.Object, with v1alpha1.Solver) string {
	r.T.Helper()
	r.set(issuer, "spec.solvers", []v1alpha1.Solver{with})
	r.Pass(time.Minute)
	old := r.Request("www")
	remove(r.Env, old)
	for _, order := range r.Orders() { // as the garbage collector does
		remove(r.Env, &order)
	}
	next := gen.Request(r.Namespace, "again", old.Spec.Request)
	next.Spec.IssuerRef = old.Spec.IssuerRef
	r.Create(next)
	r.Decide("again", cmapi.CertificateRequestConditionApproved)
	return "again"
}

// leads lets a name lead to another one, and to nothing else.
func (r *reader) leads(from, to string) string {
	r.removesRecords(func(record cassim.Record) bool { return record.FQDN == from })
	addAlias(r.Env, from, to)
	return "www"
}

func addAlias(e *env.Env, from, to string) {
	e.Simulator.AddRecord(cassim.DefaultZone, strings.TrimSuffix(from, "."+cassim.DefaultZone), "CNAME", to)
}

// removesRecords removes those that a person means, of which there must be one.
func (r *reader) removesRecords(means func(cassim.Record) bool) {
	r.T.Helper()
	n := 0
	for _, record := range r.Simulator.Records(cassim.DefaultZone) {
		if means(record) {
			r.Simulator.RemoveRecord(record.ID)
			n++
		}
	}
	if n == 0 {
		r.T.Fatalf("there is no such record: %+v", r.Simulator.Records(cassim.DefaultZone))
	}
}

// solverLessons are about solvers that publish by others, or not at all.
func solverLessons() map[string]lesson {
	var site *web
	preauthorised := func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Solvers = []v1alpha1.Solver{{DNS: &v1alpha1.DNSSolver{None: &v1alpha1.NoSolver{}}}}
	}
	return map[string]lesson{
		"an object by somebody else": {played(scenario{
			issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = withDNSEndpoint(nil) },
			after: func(e *env.Env) {
				ours := e.Objects(dnsendpoint.Kind)[0]
				remove(e, &ours)
				theirs := &unstructured.Unstructured{
					Object: map[string]any{"spec": map[string]any{"endpoints": []any{}}}}
				theirs.SetGroupVersionKind(dnsendpoint.Kind)
				theirs.SetNamespace(ours.GetNamespace())
				theirs.SetName(ours.GetName())
				e.Create(theirs)
				e.Pass(10 * time.Minute) // until it is looked after again
			},
		}), []advised{{
			to: "delete it", says: []string{`the DNSEndpoint "([^"]+)" in the namespace "([^"]+)" was made by ` +
				`somebody else, and has the name of the one to make: delete it`}, billed: 1,
			follow: func(r *reader) string {
				theirs := &unstructured.Unstructured{}
				theirs.SetGroupVersionKind(dnsendpoint.Kind)
				theirs.SetName(r.words[0])
				theirs.SetNamespace(r.words[1])
				remove(r.Env, theirs)
				r.Until(12*time.Minute, func() bool { return len(r.Objects(dnsendpoint.Kind)) == 1 })
				publish(r.Env, r.Objects(dnsendpoint.Kind)[0])
				return "www"
			},
		}}},
		"a domain that is not pre-authorised": {played(scenario{issuer: preauthorised}), []advised{{
			to: "use another solver", billed: 1,
			says: []string{`is pre-authorised: if it is not, use a solver that publishes the TXT record "[^"]+", ` +
				`and delete the CertificateRequest: the next one goes on with this order, or has it given back`},
			follow: (*reader).publishesByAlidns,
		}}},
		"a domain that was not pre-authorised in time": {
			played(scenario{issuer: preauthorised, after: func(e *env.Env) { leap(e, 24*time.Hour) }}), []advised{
				{to: "see to that", says: []string{
					`CAS does not take its domain for pre-authorised: see to that at CAS`}, billed: 2,
					follow: func(r *reader) string {
						r.again()
						r.Until(time.Minute, func() bool { return orderOf(r.Env, "again").Status.OrderID != "" })
						// as the CA does for a domain that is
						r.Simulator.ForceState(orderOf(r.Env, "again").Status.OrderID, cassim.StateProcess)
						return "again"
					}},
				{to: "use another solver", says: []string{`or use a solver that publishes the validation record`},
					billed: 2, follow: func(r *reader) string {
						r.set(r.issuer(), "spec.solvers", gen.IssuerSpec(r.Simulator.URL()).Solvers)
						r.Pass(time.Minute)
						return r.again()
					}},
			}},
		"a file at an odd place": {func(t *testing.T) *env.Env {
			e, server := withFile(t, onIngress(func(*v1alpha1.IngressSolver) {}), "shop.example.com", cassim.Knobs{})
			site = server
			liar := env.StartLiar(e, env.Proof{Name: "/.well-known/pki-validation/fileauth.txt?part=1"})
			(&reader{Env: e}).set(gen.Issuer(e.Namespace, ""), "spec.endpoint.url", liar.URL)
			e.Pass(12 * time.Minute)
			return e
		}, []advised{{
			to: "put it there by hand", billed: 1,
			says: []string{`CAS asks for the file "([^"]+)" of "([^"]+)", which is not a file below [^:]+: put it ` +
				`there by hand and use the solver "(manual)"`, changedSolver},
			follow: func(r *reader) string {
				r.solves(v1alpha1.Solver{File: &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}})
				var file []string
				r.Until(12*time.Minute, func() bool {
					file = regexp.MustCompile(
						`put a file with the content "([^"]+)" at http://([^/]+)(\S+) for`).FindStringSubmatch(
						readyMessage(r.Env, "again"))
					return file != nil
				})
				r.is(0, file[3])
				r.is(1, file[2])
				site.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, file[1]) }
				return "again"
			},
		}}},
		"no solver for the name": {played(scenario{issuer: func(i *v1alpha1.AliyunIssuer) {
			gen.Manual(i)
			i.Spec.Solvers[0].Selector = &v1alpha1.SolverSelector{DNSZones: []string{"example.org"}}
		}}), []advised{
			{to: "add one", says: []string{`no solver of the AliyunIssuer "[^"]+" matches "([^"]+)": add one for it ` +
				`to (spec\.solvers)`}, billed: 1, follow: func(r *reader) string {
				solver := gen.IssuerSpec(r.Simulator.URL()).Solvers[0]
				solver.Selector = &v1alpha1.SolverSelector{DNSNames: []string{r.words[0]}}
				r.set(r.issuer(), r.words[1], append(theIssuer(r.Env).Spec.Solvers, solver))
				return "www"
			}},
			{to: "add one for all", says: []string{`or one without a selector`},
				elsewhere: "TestARequestThatNoSolverIsForWaitsForOne"},
		}},
	}
}

// publishesByAlidns gives the issuer the solver that it usually has.
func (r *reader) publishesByAlidns() string {
	return r.solves(gen.IssuerSpec(r.Simulator.URL()).Solvers[0])
}
