// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/dnsendpoint"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// replaced deletes the request, as a person does who obeys a message, and makes the next one with the same key, as
// cert-manager does at once: "next". The Order goes with its request.
func replaced(e *env.Env, key crypto.Signer) {
	e.T.Helper()
	old := orderOf(e, "www")
	remove(e, e.Request("www"))
	remove(e, old)
	e.Create(gen.Request(e.Namespace, "next", gen.CSR(key)))
	e.Decide("next", cmapi.CertificateRequestConditionApproved)
}

// withKey makes an issuer and an approved request with a key.
func withKey(t *testing.T, options cassim.Options,
	modifiers ...func(*v1alpha1.AliyunIssuer)) (*env.Env, crypto.Signer) {
	t.Helper()
	e, key := env.New(t, options), gen.Key()
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), modifiers...))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e, key
}

func hasCertificate(e *env.Env, request string) func() bool {
	return func() bool { return len(e.Request(request).Status.Certificate) > 0 }
}

// TestWhoeverOrdersAnewGetsANewOrder does what the message of an unusable certificate says, at once and in a process
// that has not made the Order.
func TestWhoeverOrdersAnewGetsANewOrder(t *testing.T) {
	for name, isRestarted := range map[string]bool{"at once": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			e, key := withKey(t, cassim.Options{CADelay: time.Hour})
			e.Settle()
			bad := e.Simulator.Ledger()[0].OrderID
			e.Simulator.WrongNames(bad, "other.example.com")
			e.Until(4*time.Hour, func() bool { return len(messagesOf(e, v1alpha1.ReasonInvalidCertificate)) > 0 })
			replaced(e, key)
			if isRestarted {
				e.Settle()
				e.Restart()
			}
			e.Until(4*time.Hour, hasCertificate(e, "next"))
			if id := orderOf(e, "next").Status.OrderID; id == bad {
				t.Errorf("it was given the bad order %s again", id)
			}
			billed(t, e, 2)
		})
	}
}

// TestWhoeverCorrectsTheSolverIsValidated replaces a file solver that does not work by one for DNS, and the other way
// round, while an order is under way.
func TestWhoeverCorrectsTheSolverIsValidated(t *testing.T) {
	file := []v1alpha1.Solver{{File: &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}}}
	e, key := withKey(t, cassim.Options{}, func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = file })
	e.Pass(time.Hour)
	billed(t, e, 1)
	first := e.Simulator.Ledger()[0].OrderID
	issuer := issuerOf(e)
	issuer.Spec.Solvers = gen.IssuerSpec(e.Simulator.URL()).Solvers
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Pass(2 * time.Minute) // the issuer is checked again, and its solver is the new one
	replaced(e, key)
	e.Until(2*time.Hour, hasCertificate(e, "next"))
	billed(t, e, 2)
	wantReleased(t, e, first)
}

// TestAnAnswerThatComesLateFollowsTheOrderToItsHeir edits the Certificate while CAS answers.
func TestAnAnswerThatComesLateFollowsTheOrderToItsHeir(t *testing.T) {
	for _, point := range []string{create, "answer to " + create} {
		t.Run("held at "+point, func(t *testing.T) {
			e, key := withKey(t, cassim.Options{CADelay: 10 * time.Hour})
			e.Hold(point)
			e.Settle()
			if !e.Held() {
				t.Fatal("no run came to the point")
			}
			replaced(e, key)
			e.Settle()
			e.LetGo()
			e.Pass(5 * time.Minute)
			order := orderOf(e, "next")
			if order.Status.OrderIDBasis != v1alpha1.OrderIDByAnswer || len(e.Orders()) != 1 {
				t.Errorf("the heir has %q by %q, and there are %d AliyunOrders", order.Status.OrderID,
					order.Status.OrderIDBasis, len(e.Orders()))
			}
			billed(t, e, 1)
			remove(e, e.Request("next"))
			remove(e, order)
			e.Until(time.Hour, isGone(e))
			wantReleased(t, e, order.Status.OrderID)
			if left := e.Simulator.Records(cassim.DefaultZone); len(left) > 0 {
				t.Errorf("validation records are left: %+v", left)
			}
		})
	}
}

// TestAnAnswerForAnOrderThatWasRemovedByForceReachesItsHeir takes the finalizer away from the old Order while CAS
// answers.
func TestAnAnswerForAnOrderThatWasRemovedByForceReachesItsHeir(t *testing.T) {
	e, key := withKey(t, cassim.Options{CADelay: 10 * time.Hour})
	e.Hold("answer to " + create)
	e.Settle()
	old := orderOf(e, "www").UID
	replaced(e, key)
	e.Settle()
	for _, order := range e.Orders() {
		if order.UID != old {
			continue
		}
		order.Finalizers = nil
		if err := e.Client.Update(t.Context(), &order); err != nil {
			t.Fatal(err)
		}
	}
	e.LetGo()
	if order := orderOf(e, "next"); order.Status.OrderIDBasis != v1alpha1.OrderIDByAnswer {
		t.Errorf("the heir has %q by %q", order.Status.OrderID, order.Status.OrderIDBasis)
	}
}

// TestOfTwoPredecessorsTheOneThatWasClaimedIsGoneOnWith has an error come between the claim and the copy.
func TestOfTwoPredecessorsTheOneThatWasClaimedIsGoneOnWith(t *testing.T) {
	e, key := withKey(t, cassim.Options{CADelay: 10 * time.Hour})
	e.Create(gen.Request(e.Namespace, "twin", gen.CSR(key)))
	e.Decide("twin", cmapi.CertificateRequestConditionApproved)
	e.Pass(time.Minute)
	billed(t, e, 2)
	remove(e, e.Request("twin"))
	remove(e, orderOf(e, "twin"))
	e.Points.Trace("patch status of *v1alpha1.AliyunOrder #2", env.Transient)
	replaced(e, key)
	e.Pass(time.Hour)
	heir := orderOf(e, "next")
	alive := 0
	for _, entry := range e.Simulator.Ledger() {
		if !entry.Released {
			alive++
		}
	}
	if len(e.Orders()) != 1 || alive != 1 || heir.Status.OrderID == "" {
		t.Errorf("%d orders are alive at CAS and %d AliyunOrders are there; the heir has %q", alive, len(e.Orders()),
			heir.Status.OrderID)
	}
	billed(t, e, 2)
}

// TestWhoeverChangesTheSolverFindsNothingOfTheOldOne hands an order over from one way to publish a record to another.
func TestWhoeverChangesTheSolverFindsNothingOfTheOldOne(t *testing.T) {
	type way struct {
		solvers         func(*v1alpha1.Endpoint) []v1alpha1.Solver
		asked, recorded int // how many DNSEndpoints and records there are
	}
	alidns := func(credentials *v1alpha1.Credentials) way {
		return way{recorded: 1, solvers: func(endpoint *v1alpha1.Endpoint) []v1alpha1.Solver {
			return []v1alpha1.Solver{
				{DNS: &v1alpha1.DNSSolver{
					Alidns: &v1alpha1.AlidnsSolver{Endpoint: endpoint, Credentials: credentials}}}}
		}}
	}
	byAlidns, byEndpoint := alidns(nil), way{asked: 1, solvers: withDNSEndpoint}
	byAnother := alidns(&v1alpha1.Credentials{
		AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
			SecretReference: v1alpha1.SecretReference{Name: gen.SecretName}}})
	for name, c := range map[string]struct{ from, to way }{
		"from Alibaba Cloud DNS to ExternalDNS": {byAlidns, byEndpoint},
		"from ExternalDNS to Alibaba Cloud DNS": {byEndpoint, byAlidns},
		"to other credentials for the zone":     {byAlidns, byAnother},
	} {
		t.Run(name, func(t *testing.T) {
			e, key := withKey(t, cassim.Options{DCVDelay: 10 * time.Hour},
				func(i *v1alpha1.AliyunIssuer) { i.Spec.Solvers = c.from.solvers(i.Spec.Endpoint) })
			published := func(want way) {
				t.Helper()
				if asked, records := len(e.Objects(dnsendpoint.Kind)),
					len(e.Simulator.Records(cassim.DefaultZone)); asked != want.asked || records != want.recorded {
					t.Errorf("there are %d DNSEndpoints and %d records, want %d and %d", asked, records, want.asked,
						want.recorded)
				}
			}
			e.Pass(time.Minute)
			published(c.from)
			issuer := issuerOf(e)
			issuer.Spec.Solvers = c.to.solvers(issuer.Spec.Endpoint)
			if err := e.Client.Update(t.Context(), issuer); err != nil {
				t.Fatal(err)
			}
			e.Pass(2 * time.Minute)
			replaced(e, key)
			e.Pass(10 * time.Minute)
			published(c.to)
			order := orderOf(e, "next")
			if is := order.Status.Validations; len(is) != 1 || is[0].Ownership != v1alpha1.RecordOurs {
				t.Errorf("the heir's record is %+v", is)
			}
			billed(t, e, 1)
			remove(e, e.Request("next"))
			remove(e, order)
			e.Until(time.Hour, isGone(e))
			published(way{})
		})
	}
}

// TestADoubtThatIsHandedOverIsOneAllTheWay stops the heir between its claim and its own record of the doubt, and has
// somebody else order for the name meanwhile.
func TestADoubtThatIsHandedOverIsOneAllTheWay(t *testing.T) {
	e, key := withKey(t, cassim.Options{})
	e.Settle() // the issuer is checked
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Times: 1, Executed: true})
	e.Create(gen.Request(e.Namespace, "lost", gen.CSR(key, named("shop.example.com"))))
	e.Decide("lost", cmapi.CertificateRequestConditionApproved)
	e.Pass(10 * time.Second)
	remove(e, e.Request("lost"))
	remove(e, orderOf(e, "lost"))
	e.Create(gen.Request(e.Namespace, "heir", gen.CSR(key, named("shop.example.com"))))
	e.Decide("heir", cmapi.CertificateRequestConditionApproved)
	e.Hold("made: patch status of *v1alpha1.AliyunOrder")
	e.Settle()
	if !e.Held() {
		t.Fatal("no run has claimed")
	}
	before := len(e.Simulator.Ledger())
	e.Create(gen.Request(e.Namespace, "other", gen.CSR(gen.Key(), named("shop.example.com"))))
	e.Decide("other", cmapi.CertificateRequestConditionApproved)
	e.Settle()
	if now := len(e.Simulator.Ledger()); now != before {
		t.Errorf("%d orders were billed while the doubt was on its way", now-before)
	}
	e.LetGo()
	e.Until(2*time.Hour, func() bool { return hasCertificate(e, "heir")() && hasCertificate(e, "other")() })
}
