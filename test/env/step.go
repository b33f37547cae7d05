// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"slices"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// idle is how far the clock moves when no reconciler asks for a next time.
const idle = 5 * time.Minute

// Turn runs a reconciler on an object, and returns after which time it wants to be run again.
type Turn func() time.Duration

// Turns are the runs of every reconciler on every object that there is now, for a test that runs them in an order of
// its own. Settle and Until do so in that of a process which is quick.
func (e *Env) Turns() []Turn {
	e.T.Helper()
	return slices.Concat(e.issuerTurns(), e.requestTurns(), e.orderTurns())
}

func (e *Env) requestTurns() []Turn {
	return e.turns(&cmapi.CertificateRequestList{}, func() reconcile.Reconciler { return e.requests })
}

func (e *Env) orderTurns() []Turn {
	return e.turns(&v1alpha1.AliyunOrderList{}, func() reconcile.Reconciler { return e.orders })
}

// issuerTurns pass no points.
func (e *Env) issuerTurns() []Turn {
	turns := slices.Concat(
		e.turns(&v1alpha1.AliyunIssuerList{}, func() reconcile.Reconciler { return e.issuers[0] }),
		e.turns(&v1alpha1.AliyunClusterIssuerList{}, func() reconcile.Reconciler { return e.issuers[1] }))
	for i, run := range turns {
		turns[i] = func() (next time.Duration) {
			e.Points.pause(func() { next = run() })
			return next
		}
	}
	return turns
}

// Returns a run for each object of a list. Asks which reconciler that is when it runs: a crash replaces them.
func (e *Env) turns(list client.ObjectList, of func() reconcile.Reconciler) (turns []Turn) {
	e.T.Helper()
	if err := e.Client.List(e.T.Context(), list); err != nil {
		e.T.Fatal(err)
	}
	err := meta.EachListItem(list, func(item runtime.Object) error {
		turns = append(turns, func() time.Duration { return e.run(of, item.(client.Object)) })
		return nil
	})
	if err != nil {
		e.T.Fatal(err)
	}
	return turns
}

func (e *Env) run(of func() reconcile.Reconciler, object client.Object) time.Duration {
	e.T.Helper()
	ctx := log.IntoContext(e.T.Context(), zap.New(zap.WriteTo(e.logged), zap.UseDevMode(true)))
	var result ctrl.Result
	var err error
	hasBegun := false
	e.Points.survive(func() {
		e.Restart()
		hasBegun = true
	}, func() {
		result, err = e.reconcile(object.GetUID(), func() (ctrl.Result, error) {
			return of().Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)})
		})
	})
	switch {
	case err != nil && !e.Points.expectsErrors() && !e.gate.expectsErrors():
		e.T.Fatalf("reconcile %T %s: %v", object, object.GetName(), err)
		return 0
	case err != nil:
		return time.Second // as the work queue would
	case hasBegun:
		return 0 // a process that begins looks at everything at once
	case result.RequeueAfter > 0:
		return result.RequeueAfter
	default:
		return idle
	}
}

// Runs every reconciler on every object of the namespaces, far more often than watches would: being woken must cost
// nothing. Returns after which time the first of them wants to be run again.
func (e *Env) round() time.Duration {
	e.T.Helper()
	if e.lag != nil {
		if err := e.lag.turn(e.T.Context()); err != nil {
			e.T.Fatal(err)
		}
	}
	next := idle
	for _, turns := range []func() []Turn{e.issuerTurns, e.requestTurns, e.orderTurns} { // requests make orders
		for _, run := range turns() {
			next = min(next, run())
		}
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
		next := e.round()
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
