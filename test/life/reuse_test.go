// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"bytes"
	"crypto"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// withOneClock is withKey where requests are made at the time of the test: one that is older than it seems is looked
// for at CAS before it is ordered.
func withOneClock(t *testing.T, options cassim.Options) (*env.Env, crypto.Signer) {
	t.Helper()
	e, key := withKey(t, options)
	e.OneClock()
	return e, key
}

// prune removes a finished request and its Order, as people do who look for a fault, and waits until both are gone.
func prune(e *env.Env, request string) {
	e.T.Helper()
	order := orderOf(e, request)
	remove(e, e.Request(request))
	remove(e, order)
	e.Until(time.Hour, isGone(e))
}

// TestAFinishedRequestThatIsDeletedIsNotBoughtAgain makes it again with its key, once nothing in the cluster has its
// certificate any more. Only the issuer's record may know that there is one, or nobody.
func TestAFinishedRequestThatIsDeletedIsNotBoughtAgain(t *testing.T) {
	for name, between := range map[string]func(*env.Env){
		"at once":          func(*env.Env) {},
		"after a restart":  func(e *env.Env) { e.Restart() },
		"after two months": func(e *env.Env) { e.Clock.SetTime(e.Clock.Now().Add(60 * 24 * time.Hour)) },
		"with listings that are behind": func(e *env.Env) {
			e.Simulator.SteerListing(cassim.Listing{Missing: []string{"www.example.com"}, TotalOff: -1})
		},
		"with a new issuer": func(e *env.Env) { renewIssuer(e) },
		"with an empty plan": func(e *env.Env) {
			e.Simulator.SetPackage(gen.Product, 1, 1)
			e.Pass(time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, key := withOneClock(t, cassim.Options{})
			e.Until(time.Hour, hasCertificate(e, "www"))
			first, id := e.Request("www").Status.Certificate, orderOf(e, "www").Status.OrderID
			e.Pass(10 * time.Minute)
			prune(e, "www")
			between(e)
			e.Create(gen.Request(e.Namespace, "next", gen.CSR(key)))
			e.Decide("next", cmapi.CertificateRequestConditionApproved)
			e.Until(time.Hour, hasCertificate(e, "next"))
			if !bytes.Equal(e.Request("next").Status.Certificate, first) {
				t.Error("another certificate was delivered")
			}
			if order := orderOf(e, "next"); order.Status.OrderID != "" || order.Status.ReusedOrderID != id {
				t.Errorf("the Order holds %q and has reused %q, not %s", order.Status.OrderID,
					order.Status.ReusedOrderID, id)
			}
			if told := messagesOf(e, v1alpha1.ReasonReused); len(told) != 1 ||
				!strings.Contains(strings.Join(e.Events(), "\n"), "Normal Reused") {
				t.Errorf("nobody is told: %q, %q", told, e.Events())
			}
			prune(e, "next")
			billed(t, e, 1)
			if calls := e.Simulator.Calls(); calls["CancelOrderRequest"]+calls["DeleteCertificateRequest"] != 0 {
				t.Errorf("what was delivered was withdrawn: %v", calls)
			}
		})
	}
}

// renewIssuer takes the record of what was issued away with the issuer.
func renewIssuer(e *env.Env) {
	e.T.Helper()
	old := issuerOf(e)
	remove(e, old)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
	e.Settle()
}

// TestWhatDoesNotServeIsNotDeliveredAgain has a request for which a certificate is there that it must not be given.
func TestWhatDoesNotServeIsNotDeliveredAgain(t *testing.T) {
	for name, between := range map[string]func(e *env.Env, id string){
		"it is revoked": func(e *env.Env, id string) { e.Simulator.Revoke(id) },
		"less than two thirds are left": func(e *env.Env, _ string) {
			e.Clock.SetTime(e.Clock.Now().Add(70 * 24 * time.Hour))
		},
		"the issuer does not want it":     func(e *env.Env, _ string) { setReuse(e, v1alpha1.ReuseDisabled) },
		"the issuer has another product":  func(e *env.Env, _ string) { setProduct(e, "geotrust-dv-1-starter") },
		"CAS does not know it any more":   func(e *env.Env, id string) { e.Simulator.Vanish(id) },
		"it is of another account by now": func(e *env.Env, id string) { e.Simulator.Vanish(id); e.Restart() },
		"its text cannot be had any more": func(e *env.Env, id string) {
			e.Simulator.OrderChain(id, cassim.ChainEmpty)
		},
		"the CA has made it without a leaf": func(e *env.Env, id string) {
			e.Simulator.OrderChain(id, cassim.ChainWithoutLeaf)
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, key := withOneClock(t, cassim.Options{Knobs: cassim.Knobs{CSRReuse: cassim.ReuseAccepted}})
			e.Until(time.Hour, hasCertificate(e, "www"))
			id := orderOf(e, "www").Status.OrderID
			e.Pass(10 * time.Minute)
			prune(e, "www")
			between(e, id)
			e.Pass(time.Minute) // an issuer that was changed is checked, so that the request is ordered at once
			e.Create(gen.Request(e.Namespace, "next", gen.CSR(key)))
			e.Decide("next", cmapi.CertificateRequestConditionApproved)
			e.Until(time.Hour, hasCertificate(e, "next"))
			billed(t, e, 2)
		})
	}
}

func setProduct(e *env.Env, code string) {
	e.T.Helper()
	e.Simulator.SetPackage(code, 10, 0)
	issuer := issuerOf(e)
	issuer.Spec.Source.ResourcePlan.ProductCode = code
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
}

func setReuse(e *env.Env, policy v1alpha1.ReusePolicy) {
	e.T.Helper()
	issuer := issuerOf(e)
	issuer.Spec.Orders = &v1alpha1.OrderPolicy{Reuse: policy}
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
}

// TestARenewalCostsNoLookForACertificateToDeliverAgain counts what a request with a new key asks of listings: one for
// names that nobody knows, and none once their certificate is in the last two thirds of its life.
func TestARenewalCostsNoLookForACertificateToDeliverAgain(t *testing.T) {
	e, _ := withOneClock(t, cassim.Options{})
	e.Until(time.Hour, hasCertificate(e, "www"))
	if n := e.Simulator.Calls()["ListUserCertificateOrder"] - 1; n > 1 { // one is of the issuer's check
		t.Errorf("the first order cost %d listings", n)
	}
	e.Pass(10 * time.Minute)
	e.Clock.SetTime(e.Clock.Now().Add(140 * 24 * time.Hour))
	e.Settle()
	before := e.Simulator.Calls()["ListUserCertificateOrder"]
	e.Create(gen.Request(e.Namespace, "next", gen.CSR(gen.Key())))
	e.Decide("next", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, hasCertificate(e, "next"))
	if n := e.Simulator.Calls()["ListUserCertificateOrder"] - before; n != 0 {
		t.Errorf("the renewal cost %d listings", n)
	}
	billed(t, e, 2)
}

// TestALoopOfOneKeyIsHeld asks for the same certificate with the same key again and again, as a Certificate does whose
// renewal is due as soon as it is issued.
func TestALoopOfOneKeyIsHeld(t *testing.T) {
	e, key := withOneClock(t, cassim.Options{})
	last := "www"
	for _, next := range []string{"second", "third", "fourth"} {
		e.Until(time.Hour, hasCertificate(e, last))
		e.Settle()
		prune(e, last)
		last = next
		e.Create(gen.Request(e.Namespace, last, gen.CSR(key)))
		e.Decide(last, cmapi.CertificateRequestConditionApproved)
	}
	e.Pass(time.Hour)
	if told := messagesOf(e, v1alpha1.ReasonOrderRateExceeded); len(told) != 1 || hasCertificate(e, last)() {
		t.Errorf("a loop is not held: %s", said(e))
	}
	billed(t, e, 1)
}
