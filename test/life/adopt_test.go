// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const create = "CreateCertificateWithCsrRequest"

// unanswered makes an issuer and an approved request whose submission gets no answer.
func unanswered(t *testing.T, options cassim.Options, isExecuted bool,
	modifiers ...func(*v1alpha1.AliyunIssuer)) *env.Env {
	t.Helper()
	e := env.New(t, options)
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: isExecuted})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), modifiers...))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	return e
}

func billed(t *testing.T, e *env.Env, want int) {
	t.Helper()
	if ledger := e.Simulator.Ledger(); len(ledger) != want {
		t.Errorf("%d orders were billed, want %d: %+v", len(ledger), want, ledger)
	}
}

// inAll counts the orders of plans, and the applications with instances that were accepted, those of others left out.
func inAll(t *testing.T, e *env.Env, want int) {
	t.Helper()
	got := len(e.Simulator.Ledger())
	for _, a := range e.Simulator.Applications() {
		if !a.Foreign {
			got++
		}
	}
	if got != want {
		t.Errorf("%d were bought, want %d: %+v, %+v", got, want, e.Simulator.Ledger(), e.Simulator.Applications())
	}
}

// onlyOrder is the one Order of the namespace.
func onlyOrder(t *testing.T, e *env.Env) *v1alpha1.AliyunOrder {
	t.Helper()
	orders := e.Orders()
	if len(orders) != 1 {
		t.Fatalf("there are %d AliyunOrders, want one", len(orders))
	}
	return &orders[0]
}

func annotate(t *testing.T, e *env.Env, word string) {
	t.Helper()
	order := onlyOrder(t, e)
	order.Annotations = map[string]string{v1alpha1.OrderIDAnnotation: word}
	if err := e.Client.Update(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

func TestAnOrderWhoseAnswerWasLostIsFoundAgain(t *testing.T) {
	e := unanswered(t, cassim.Options{CADelay: time.Hour}, true)
	e.Pass(10 * time.Minute)
	order := onlyOrder(t, e)
	if order.Status.OrderIDBasis != v1alpha1.OrderIDByListing ||
		order.Status.OrderID != e.Simulator.Ledger()[0].OrderID {
		t.Fatalf("the order is %q by %q, want the billed one by Listing", order.Status.OrderID,
			order.Status.OrderIDBasis)
	}
	e.Restart()
	e.Until(3*time.Hour, isReady(e))
	if basis := onlyOrder(t, e).Status.OrderIDBasis; basis != v1alpha1.OrderIDByCertificate {
		t.Errorf("the issued order is by %q, want Certificate", basis)
	}
	billed(t, e, 1)
}

func TestWhatWasNeverMadeIsSubmittedOnceMoreAndNotBefore16Minutes(t *testing.T) {
	e := unanswered(t, cassim.Options{}, false)
	e.Pass(16 * time.Minute)
	if n := e.Simulator.Calls()[create]; n != 1 {
		t.Fatalf("%d submissions after 16 minutes, want one", n)
	}
	e.Until(time.Hour, isReady(e))
	if n := onlyOrder(t, e).Status.Submission.Attempt; n != 2 {
		t.Errorf("the order was attempt %d, want 2", n)
	}
	billed(t, e, 1)
}

func TestWhatIsLostTwiceIsHeldUntilAPersonSays(t *testing.T) {
	for name, word := range map[string]string{"none": v1alpha1.NoOrder, "an id": "id"} {
		t.Run(name, func(t *testing.T) {
			e := unanswered(t, cassim.Options{}, false)
			e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply})
			e.Pass(3 * time.Hour)
			if n := e.Simulator.Calls()[create]; n != 2 {
				t.Fatalf("%d submissions, want 2", n)
			}
			ready := cmutil.GetCertificateRequestCondition(e.Request("www"), cmapi.CertificateRequestConditionReady)
			if ready.Reason != cmapi.CertificateRequestReasonPending ||
				!strings.Contains(ready.Message, "certmanager.aliyun.com/order-id=") {
				t.Fatalf("the request says %+v", ready)
			}
			if word != v1alpha1.NoOrder {
				word = "not an id"
			}
			annotate(t, e, word)
			if word != v1alpha1.NoOrder {
				e.Pass(20 * time.Minute)
				if message := cmutil.GetCertificateRequestCondition(
					e.Request("www"), cmapi.CertificateRequestConditionReady).Message; !strings.Contains(
					message, `is "not an id"`) {
					t.Errorf("the request says %q", message)
				}
				billed(t, e, 0)
				return
			}
			e.Until(time.Hour, isReady(e))
			if _, isLeft := onlyOrder(t, e).Annotations[v1alpha1.OrderIDAnnotation]; isLeft {
				t.Error("the annotation is still there, and would be obeyed again")
			}
			billed(t, e, 1)
		})
	}
}

func TestAnOrderThatWasOnlyPresumedIsNotWithdrawnFromASharedAccount(t *testing.T) {
	for use, want := range map[v1alpha1.AccountUse]bool{v1alpha1.AccountShared: false,
		v1alpha1.AccountExclusive: true} {
		t.Run(string(use), func(t *testing.T) {
			e := unanswered(t, cassim.Options{CADelay: 100 * time.Hour}, true,
				func(i *v1alpha1.AliyunIssuer) { i.Spec.Account = use })
			e.Pass(10 * time.Minute)
			order := onlyOrder(t, e)
			if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
				t.Fatal(err)
			}
			if err := e.Client.Delete(t.Context(), order); err != nil {
				t.Fatal(err)
			}
			e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
			if got := e.Simulator.Ledger()[0].Released; got != want {
				t.Errorf("the order was released: %t, want %t", got, want)
			}
			told := strings.Contains(strings.Join(e.Events(), "\n"), "ReleaseUnresolved")
			if told == want {
				t.Errorf("what could not be given back was told: %t, want %t", told, !want)
			}
			if records := e.Simulator.Records("example.com"); len(records) != 0 {
				t.Errorf("records were left behind: %v", records)
			}
		})
	}
}

func TestAnOrphanedOrderIsGivenBack(t *testing.T) {
	e := ordered(t, cassim.Options{CADelay: 100 * time.Hour})
	e.Settle()
	if err := e.Client.Delete(
		t.Context(), e.Request("www")); err != nil { // without its Order, as --cascade=orphan does
		t.Fatal(err)
	}
	e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
	if !e.Simulator.Ledger()[0].Released {
		t.Error("the order was not given back")
	}
}

func TestAnEditOfTheCertificateKeepsTheOrder(t *testing.T) {
	e := env.New(t, cassim.Options{CADelay: 30 * time.Minute})
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	key := gen.Key()
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	// without letting time pass: the API server, whose clock is the real one, says when the Order was deleted
	e.Settle()
	old := onlyOrder(t, e)
	if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
		t.Fatal(err)
	}
	if err := e.Client.Delete(t.Context(), old); err != nil { // as the garbage collector does
		t.Fatal(err)
	}
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(2*time.Hour, isReady(e))
	billed(t, e, 1)
	e.Pass(10 * time.Minute)
	if order := onlyOrder(t, e); order.UID == old.UID || order.Status.OrderID != old.Status.OrderID {
		t.Errorf("the order that is left is %s with id %s, want another one with id %s", order.Name,
			order.Status.OrderID, old.Status.OrderID)
	}
	if records := e.Simulator.Records("example.com"); len(records) != 0 {
		t.Errorf("records were left behind: %v", records)
	}
}

func TestAnotherKeyDoesNotInheritTheOrder(t *testing.T) {
	e := ordered(t, cassim.Options{CADelay: 100 * time.Hour})
	e.Settle()
	old := onlyOrder(t, e)
	if err := e.Client.Delete(t.Context(), e.Request("www")); err != nil {
		t.Fatal(err)
	}
	if err := e.Client.Delete(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, func() bool { return len(e.Orders()) == 1 && e.Orders()[0].UID != old.UID })
	ledger := e.Simulator.Ledger()
	if len(ledger) != 2 || !ledger[0].Released || ledger[1].Released {
		t.Errorf("the ledger is %+v, want the first order given back and the second one alive", ledger)
	}
}

// TestTheAnswerOfCASEndsWhatWasWrittenMeanwhile lets another process write another id while CAS answers.
func TestTheAnswerOfCASEndsWhatWasWrittenMeanwhile(t *testing.T) {
	meanwhile := func(t *testing.T, basis v1alpha1.OrderIDBasis) (e *env.Env, ours, other string) {
		t.Helper()
		e = ordered(t, cassim.Options{CADelay: 10 * time.Minute})
		e.Hold("answer to " + create)
		e.Settle()
		other = e.Simulator.AddForeignOrder(
			gen.Domain, func(f *cassim.ForeignOrder) { f.State = cassim.StateDomainVerify })
		order := orderOf(e, "www")
		order.Status.OrderID, order.Status.OrderIDBasis = other, basis
		if err := e.Client.Status().Update(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		e.LetGo()
		e.Pass(time.Minute)
		return e, e.Simulator.Ledger()[0].OrderID, other
	}
	t.Run("an id that was presumed gives way", func(t *testing.T) {
		e, ours, other := meanwhile(t, v1alpha1.OrderIDByListing)
		e.Until(time.Hour, isReady(e))
		order := orderOf(e, "www")
		if is := order.Status; is.OrderID != ours || is.OrderIDBasis != v1alpha1.OrderIDByAnswer ||
			!slices.Contains(is.ExcludedOrderIDs, other) {
			t.Errorf("the order has %q by %q, and excludes %q", is.OrderID, is.OrderIDBasis, is.ExcludedOrderIDs)
		}
		unharmed(t, e)
	})
	t.Run("of two answers the second is given back by a person", func(t *testing.T) {
		e, ours, other := meanwhile(t, v1alpha1.OrderIDByAnswer)
		told := regexp.MustCompile(
			`this AliyunOrder goes on with (\d+). Cancel and delete (\d+) in the console of CAS`).FindStringSubmatch(
			strings.Join(e.Events(), "\n"))
		if told == nil || told[1] != other || told[2] != ours {
			t.Fatalf("nobody is told which order to give back: %q", e.Events())
		}
		(&reader{Env: e}).cancelAndDelete(told[2])
		if held := messagesOf(e, v1alpha1.ReasonAmbiguousSubmission); len(held) > 0 {
			t.Errorf("it is held: %q", held)
		}
	})
}
