// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// idle is how far the clock moves when no reconciler asks for a next time.
const idle = 5 * time.Minute

// Runs every reconciler on every object of the namespaces, far more often than watches would: being woken must cost
// nothing. Returns after which time the first of them wants to be run again.
func (e *Env) round(ctx context.Context) time.Duration {
	e.T.Helper()
	ctx = log.IntoContext(ctx, zap.New(zap.WriteTo(e.logged), zap.UseDevMode(true)))
	next := idle
	reconcile := func(run func(context.Context, ctrl.Request) (ctrl.Result, error), object client.Object) {
		var result ctrl.Result
		var err error
		e.Points.survive(func() {
			e.Restart()
			next = 0 // a process that begins looks at everything at once
		}, func() {
			result, err = e.reconcile(object.GetUID(), func() (ctrl.Result, error) {
				return run(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)})
			})
		})
		if err != nil && !e.Points.expectsErrors() && !e.gate.expectsErrors() {
			e.T.Fatalf("reconcile %T %s: %v", object, object.GetName(), err)
		}
		if err != nil {
			next = min(next, time.Second) // as the work queue would
		}
		if result.RequeueAfter > 0 {
			next = min(next, result.RequeueAfter)
		}
	}
	if e.lag != nil {
		if err := e.lag.turn(ctx); err != nil {
			e.T.Fatal(err)
		}
	}
	issuers, clusterIssuers, requests := &v1alpha1.AliyunIssuerList{}, &v1alpha1.AliyunClusterIssuerList{},
		&cmapi.CertificateRequestList{}
	for _, list := range []client.ObjectList{issuers, clusterIssuers, requests} {
		if err := e.Client.List(ctx, list); err != nil {
			e.T.Fatal(err)
		}
	}
	e.Points.pause(func() {
		for i := range issuers.Items {
			reconcile(e.issuers[0].Reconcile, &issuers.Items[i])
		}
		for i := range clusterIssuers.Items {
			reconcile(e.issuers[1].Reconcile, &clusterIssuers.Items[i])
		}
	})
	for i := range requests.Items {
		reconcile(e.requests.Reconcile, &requests.Items[i])
	}
	orders := &v1alpha1.AliyunOrderList{}
	if err := e.Client.List(ctx, orders); err != nil {
		e.T.Fatal(err)
	}
	for i := range orders.Items {
		reconcile(e.orders.Reconcile, &orders.Items[i])
	}
	return next
}

// Settle runs the reconcilers until nothing is written any more and the cache has all that was written. It moves the
// clock by at most a second. It does not wait for runs that wait for a held one: these ask for the next second again
// and again.
func (e *Env) Settle() time.Duration {
	e.T.Helper()
	isQuiet := false
	for range 50 {
		before := e.allWrites()
		next := e.round(e.T.Context())
		if next <= time.Second && !(e.Held() && isQuiet && e.allWrites() == before) {
			isQuiet = e.allWrites() == before
			e.Clock.SetTime(e.Clock.Now().Add(next))
			continue
		}
		if e.allWrites() == before && (isQuiet || e.lag == nil) {
			return next
		}
		isQuiet = e.allWrites() == before
	}
	e.T.Fatal("the reconcilers do not come to rest")
	return 0
}

// Until lets time pass, in the steps that the reconcilers ask for, until done says so. It fails the test after limit.
func (e *Env) Until(limit time.Duration, done func() bool) {
	e.T.Helper()
	deadline := e.Clock.Now().Add(limit)
	for {
		next := e.Settle()
		if done() {
			return
		}
		if !e.Clock.Now().Before(deadline) {
			requests := &cmapi.CertificateRequestList{}
			if err := e.Client.List(e.T.Context(), requests, client.InNamespace(e.Namespace)); err != nil {
				e.T.Error(err)
			}
			e.T.Fatalf("it did not come to pass within %s; requests: %+v; orders: %+v", limit, requests.Items,
				e.Orders())
		}
		e.Clock.SetTime(e.Clock.Now().Add(min(next, deadline.Sub(e.Clock.Now()))))
	}
}

// Pass lets time pass.
func (e *Env) Pass(d time.Duration) {
	e.T.Helper()
	end := e.Clock.Now().Add(d)
	e.Until(d, func() bool { return !e.Clock.Now().Before(end) })
}

func (e *Env) allWrites() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	total := 0
	for _, n := range e.writes {
		total += n
	}
	return total
}
