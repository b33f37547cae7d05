// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// leap lets time pass as for a controller that slept: what was due in between is done at once.
func leap(e *env.Env, d time.Duration) {
	e.Clock.SetTime(e.Clock.Now().Add(d))
	e.Pass(15 * time.Minute)
}

func remove(e *env.Env, object client.Object) {
	e.T.Helper()
	if err := e.Client.Delete(e.T.Context(), object); err != nil {
		e.T.Fatal(err)
	}
}

// orderAgain replaces the request by one with another key, as somebody does who deletes the Secret in a loop.
func orderAgain(e *env.Env) {
	e.T.Helper()
	e.Until(time.Hour, isReady(e))
	remove(e, e.Request("www"))
	for _, order := range e.Orders() {
		remove(e, &order)
	}
	e.Until(time.Hour, func() bool { return len(e.Orders()) == 0 })
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
}

func lostTwice(e *env.Env) {
	e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Times: 2})
}

func holds() map[string]scenario {
	id := func(e *env.Env) string { return e.Simulator.Ledger()[0].OrderID }
	policy := func(p v1alpha1.OrderPolicy) func(*v1alpha1.AliyunIssuer) {
		return func(i *v1alpha1.AliyunIssuer) { i.Spec.Orders = &p }
	}
	return map[string]scenario{
		"paused": {issuer: policy(v1alpha1.OrderPolicy{Paused: true})},
		"one order too many in a day": {billed: 3, after: func(e *env.Env) {
			for range 3 {
				orderAgain(e)
			}
		}},
		"plan known to be exhausted": {before: func(e *env.Env) { e.Simulator.SetPackage(gen.Product, 3, 3) },
			after: func(e *env.Env) {
				remove(e, e.Request("www"))
				for _, order := range e.Orders() {
					remove(e, &order)
				}
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
				e.Pass(time.Minute)
			}},
		"validation deadline": {billed: 1, issuer: gen.Manual, after: func(e *env.Env) { leap(e, 24*time.Hour) }},
		"early validation deadline": {billed: 1, after: func(e *env.Env) { leap(e, 2*time.Hour) },
			issuer: func(i *v1alpha1.AliyunIssuer) {
				gen.Manual(i)
				i.Spec.Orders = &v1alpha1.OrderPolicy{Timeout: &metav1.Duration{Duration: 2 * time.Hour}}
			}},
		"review deadline": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Pass(10 * time.Minute)
			leap(e, 72*time.Hour)
		}},
		"order vanished": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Simulator.Vanish(id(e))
			e.Pass(2 * time.Hour)
		}},
		"order just vanished": {billed: 1, options: slow, after: func(e *env.Env) { e.Simulator.Vanish(id(e)) }},
		"restored request": {request: func(r *cmapi.CertificateRequest) {
			r.Annotations = map[string]string{cmapi.CertificateNameKey: "www"}
		}},
		"ambiguous without candidates": {before: lostTwice, after: func(e *env.Env) { e.Pass(3 * time.Hour) }},
		"released but not given back": {billed: 1, options: slow, after: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "CancelOrderRequest", Kind: cassim.Refuse, Code: "InternalError",
				Status: 500, Message: "because", Times: -1})
			remove(e, &e.Orders()[0])
			e.Pass(12 * time.Minute)
		}},
		"released in doubt": {before: lostTwice, after: func(e *env.Env) {
			remove(e, &e.Orders()[0])
			e.Pass(15 * time.Minute)
		}},
		"released though presumed": {billed: 1, options: slow, before: func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
		}, after: func(e *env.Env) {
			e.Pass(10 * time.Minute)
			remove(e, &e.Orders()[0])
			e.Pass(15 * time.Minute)
		}},
	}
}

// TestEveryHoldAndEveryEndIsToldInWordsThatHelp compares what users read when an order waits for a person, or has ended
// without a certificate: what happened, what is being done, what to do, and until when.
func TestEveryHoldAndEveryEndIsToldInWordsThatHelp(t *testing.T) {
	for name, s := range holds() {
		t.Run(name, func(t *testing.T) { isTold(t, name, s) })
	}
}
