// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// These are what random sequences have found, made short.

// doubted is an approved request that is held before its first submission, because somebody else has an order for its
// name at CAS: the controller was restarted, and cannot know that it has submitted nothing.
func doubted(t *testing.T) *env.Env {
	t.Helper()
	e := env.New(t, cassim.Options{CADelay: 10 * time.Hour, Accounts: []cassim.Account{{
		Keys:     []cassim.Key{{ID: cassim.DefaultKeyID, Secret: cassim.DefaultKeySecret}},
		Packages: map[string]int{gen.Product: 20, otherProduct: 20},
		Zones:    []string{zone},
	}}})
	e.Simulator.AddForeignOrder(gen.Domain, func(f *cassim.ForeignOrder) { f.Product = otherProduct })
	pause(e, true)
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Settle()
	e.Restart()
	pause(e, false)
	e.Pass(12 * time.Minute)
	if n := e.Simulator.Calls()[create]; n != 0 || len(e.Orders()) != 1 {
		t.Fatalf("there were %d submissions for %d AliyunOrders, want none for one", n, len(e.Orders()))
	}
	return e
}

// pause makes the issuer, or changes it.
func pause(e *env.Env, isPaused bool) {
	e.T.Helper()
	issuer := gen.Issuer(e.Namespace, e.Simulator.URL())
	if err := e.Client.Get(e.T.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
		e.Create(issuer)
	}
	issuer.Spec.Orders = &v1alpha1.OrderPolicy{Paused: isPaused}
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
	e.Settle()
}

func say(e *env.Env, word string) {
	e.T.Helper()
	order := e.Orders()[0]
	order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word}
	if err := e.Client.Update(e.T.Context(), &order); err != nil {
		e.T.Fatal(err)
	}
}

func TestThatThereIsNoOrderYetIsNotTakenForAWordAboutTheNextOne(t *testing.T) {
	t.Parallel()
	e := doubted(t)
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
	say(e, v1alpha1.NoOrder)
	e.Pass(2 * time.Hour)
	if n := e.Simulator.Calls()[create]; n != 1 {
		t.Errorf("there were %d submissions, want one: the operator knew nothing of it", n)
	}
}

func TestAnOrderThatAnOperatorNamesIsTakenThoughListingsLackIt(t *testing.T) {
	t.Parallel()
	e := doubted(t)
	e.Simulator.SteerListing(cassim.Listing{Missing: []string{gen.Domain}, TotalOff: -1})
	say(e, e.Simulator.Ledger()[0].OrderID)
	e.Pass(time.Hour)
	if n := e.Simulator.Calls()[create]; n != 0 {
		t.Errorf("there were %d submissions, want none: the operator has named the order", n)
	}
}

// TestAnOrderOfAnotherAccountAccountsForNothing has two issuers with the same product at two endpoints. The first one's
// order is made, its answer is lost and listings lack it, so that only the count of the plan tells.
func TestAnOrderOfAnotherAccountAccountsForNothing(t *testing.T) {
	t.Parallel()
	e := env.New(t, cassim.Options{CADelay: 10 * time.Hour})
	other := cassim.New(cassim.Options{Clock: e.Clock, CADelay: 10 * time.Hour})
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Create(gen.Issuer(e.Namespace, other.URL(), func(i *v1alpha1.AliyunIssuer) { i.Name = "other" }))
	e.Settle()
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
	e.Simulator.SteerListing(cassim.Listing{Stale: true})
	for _, name := range []string{gen.IssuerName, "other"} {
		e.Create(gen.Request(e.Namespace, name, gen.CSR(gen.Key()), func(r *cmapi.CertificateRequest) {
			r.Spec.IssuerRef.Name = name
		}))
		e.Decide(name, cmapi.CertificateRequestConditionApproved)
	}
	e.Pass(2 * time.Hour)
	if n := len(other.Ledger()); n != 1 {
		t.Fatalf("%d orders were bought at the other endpoint, want one", n)
	}
	if n := e.Simulator.Calls()[create]; n != 1 {
		t.Errorf("there were %d submissions, want one: the plan has lost a certificate that no order of it accounts for", n)
	}
}

// together makes two requests for names that brands take for one, which no process has seen before.
// The first run that comes to the point is held, until the others are through.
func together(t *testing.T, point string) *env.Env {
	t.Helper()
	e := env.New(t, cassim.Options{CADelay: 10 * time.Hour})
	pause(e, true)
	for _, domain := range []string{"example.com", "www.example.com"} {
		e.Create(gen.Request(e.Namespace, strings.Split(domain, ".")[0], csrFor(gen.Key(), domain)))
		e.Decide(strings.Split(domain, ".")[0], cmapi.CertificateRequestConditionApproved)
	}
	e.Settle()
	e.Restart()
	e.Hold(point)
	return e
}

func TestAnOrderThatAWorkerBuysWhileAnotherOneLooksIsNotTakenByThatOne(t *testing.T) {
	t.Parallel()
	e := together(t, "ListUserCertificateOrder")
	pause(e, false)
	e.LetGo()
	e.Pass(15 * time.Minute)
	for _, order := range e.Orders() {
		if order.Status.OrderIDBasis != v1alpha1.OrderIDByAnswer {
			t.Errorf("the Order for %s has the id %q by %q, want one of its own by Answer", order.Spec.CommonName,
				order.Status.OrderID, order.Status.OrderIDBasis)
		}
	}
	if n := len(e.Simulator.Ledger()); n != 2 {
		t.Errorf("%d orders were bought, want one for each request", n)
	}
}

func TestTwoWorkersAreNeverInDoubtAboutOneName(t *testing.T) {
	t.Parallel()
	for _, point := range []string{create, "answer to " + create, "made: patch status of *v1alpha1.AliyunOrder",
		"patch status of *v1alpha1.AliyunOrder", "answer to ListUserCertificateOrder"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			e := together(t, point)
			e.BeforeCall = func(call cassim.Request) {
				inDoubt := 0
				for _, order := range e.Orders() {
					if isInDoubt(&order) {
						inDoubt++
					}
				}
				if call.Action == create && inDoubt != 1 {
					t.Errorf("%d submissions for one name are in doubt at once", inDoubt)
				}
			}
			e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true, Times: 2})
			pause(e, false)
			e.LetGo()
			e.Pass(time.Hour)
			if n := len(e.Simulator.Ledger()); n != 2 {
				t.Errorf("%d orders were bought, want one for each request", n)
			}
		})
	}
}

// TestAnEditDuringTheCallKeepsTheOrder replaces the request while CAS is asked for the order. The answer is the heir's.
func TestAnEditDuringTheCallKeepsTheOrder(t *testing.T) {
	t.Parallel()
	for _, point := range []string{create, "answer to " + create, "made: patch status of *v1alpha1.AliyunOrder"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			e := env.New(t, cassim.Options{CADelay: 10 * time.Hour})
			key := gen.Key()
			ask := func() {
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
			}
			drop := func() {
				for _, object := range []client.Object{e.Request("www"), new(e.Orders()[0])} {
					if err := e.Client.Delete(t.Context(), object); err != nil {
						t.Fatal(err)
					}
				}
			}
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			e.Settle()
			ask()
			e.Hold(point)
			e.Settle()
			drop()
			ask()
			e.Settle()
			e.LetGo()
			e.Pass(10 * time.Minute)
			if n := len(e.Simulator.Ledger()); n != 1 {
				t.Fatalf("%d orders were bought, want one", n)
			}
			if orders := e.Orders(); len(orders) != 1 || orders[0].Status.OrderIDBasis != v1alpha1.OrderIDByAnswer {
				t.Errorf("the Orders are %+v, want the heir alone, with the id from the answer", orders)
			}
			drop()
			e.Pass(time.Hour)
			if entry := e.Simulator.Ledger()[0]; !entry.Released {
				t.Errorf("the order is not given back: %+v", e.Events())
			}
		})
	}
}

// TestWhatIsPaidForIsKnownToBe shows that the world would notice a certificate that is bought again.
func TestWhatIsPaidForIsKnownToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "plan", 2)
	first := w.ask(w.parties[0], "r", w.parties[0].domains[:1], gen.Key())
	w.decide(first, approved)
	for range 10 {
		w.publish()
		w.pass(2 * time.Hour)
	}
	if len(first.certificate) == 0 {
		t.Fatalf("the request has no certificate: %s", w.open())
	}
	w.replace(first, 0, true, true)
	again := w.requests[len(w.requests)-1]
	if w.paidBefore(again, &env.Purchase{Product: gen.Product}) == "" {
		t.Error("nobody would notice that it is bought again")
	}
	w.pass(time.Hour)
	if len(again.certificate) == 0 || len(w.Simulator.Ledger()) != 1 {
		t.Errorf("the request has a certificate: %t, and %d orders are billed", len(again.certificate) > 0,
			len(w.Simulator.Ledger()))
	}
	w.sweep()
}

// An order for a name waits for the doubt about another one, which has to be submitted again from a plan that is
// exhausted.
func TestAnOrderThatWaitsForADoubtDoesNotKeepTheDoubtFromTheFirstNewCertificate(t *testing.T) {
	t.Parallel()
	e := env.New(t, cassim.Options{})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	ask := func(name, domain string) {
		e.Create(gen.Request(e.Namespace, name, gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
			c.Subject.CommonName, c.DNSNames = domain, []string{domain}
		})))
		e.Decide(name, cmapi.CertificateRequestConditionApproved)
		e.Pass(time.Minute)
	}
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Times: 1})
	ask("www", gen.Domain)
	ask("again", gen.Domain)
	e.Simulator.SetPackage(gen.Product, 0, 0)
	ask("shop", "shop.example.com") // finds out that the plan is exhausted
	if err := e.Client.Delete(t.Context(), e.Request("shop")); err != nil {
		t.Fatal(err)
	}
	e.Pass(2 * time.Hour)
	e.Simulator.SetPackage(gen.Product, 20, 0)
	e.Until(time.Hour, func() bool {
		return len(e.Request("www").Status.Certificate) > 0 && len(e.Request("again").Status.Certificate) > 0
	})
}
