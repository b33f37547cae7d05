// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	clientretry "k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers;aliyunclusterissuers,verbs=get
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers/status;aliyunclusterissuers/status,verbs=patch

// spendingLocks let one order at a time read and change the record of an issuer. Other processes lose by its
// resourceVersion. There are so many locks for all issuers together, so that none has to be forgotten with its issuer.
type spendingLocks struct {
	seed  maphash.Seed
	once  sync.Once
	locks [64]sync.Mutex
}

func (l *spendingLocks) of(issuer string) *sync.Mutex {
	l.once.Do(func() { l.seed = maphash.MakeSeed() })
	return &l.locks[maphash.String(l.seed, issuer)%uint64(len(l.locks))]
}

// mayOrder holds an order that is one too many. The cache may let one pass that charge holds then, and has no last word
// where it holds one.
func (r *OrderReconciler) mayOrder(ctx context.Context, run *orderRun) outcome {
	if decide(run.issuer, demandOf(run), run.now).fits() {
		return proceed()
	}
	certificate, err := r.certificateOf(ctx, run)
	if err != nil {
		return failed(err)
	}
	end := proceed()
	err = r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) {
		v := decide(issuer, demandOf(run), run.now)
		if v.reason == v1alpha1.ReasonOrderRateExceeded {
			v = holdsLoop(run, certificate, issuer)
		}
		end = proceed()
		if !v.fits() {
			after := min(max(v.until.Sub(run.now), time.Second), time.Hour)
			if v.reason == v1alpha1.ReasonReservedForRenewals {
				after = min(after, jitter(holdLongest))
			}
			end = stall(after, v.reason, v.message)
		}
	})
	if err != nil {
		return failed(err)
	}
	return end
}

// charge counts an order that is about to be bought, before that, or sends it back to be held.
func (r *OrderReconciler) charge(ctx context.Context, run *orderRun) outcome {
	p, end := demandOf(run), proceed()
	err := r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) {
		if end = proceed(); !decide(issuer, p, run.now).fits() {
			end = rest(time.Second)
			return
		}
		countOrder(issuer, p, run.now)
	})
	if err != nil {
		return failed(err)
	}
	return end
}

// refund takes back what is proven to have bought nothing. If that fails, the order counts until it leaves the window,
// and its next submission does not count again.
func (r *OrderReconciler) refund(ctx context.Context, run *orderRun) {
	err := r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) { takeBack(issuer, demandOf(run), run.now) })
	if err != nil {
		log.FromContext(ctx).Error(err, "an order that bought nothing counts towards the budget")
	}
}

// noteIssued lets the next order for the names be known as a renewal. It keeps nothing from ending.
func (r *OrderReconciler) noteIssued(ctx context.Context, run *orderRun) {
	chain := certificates(run.order.Status.Certificate)
	if len(chain) == 0 {
		return
	}
	err := r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) {
		issuedTo(issuer, run.order, chain[0].NotBefore, chain[0].NotAfter, run.now)
	})
	if client.IgnoreNotFound(err) != nil {
		log.FromContext(ctx).Error(err, "the next order for these names will not be known as a renewal")
	}
}

// changeSpending changes the record of the order's issuer as it is past the cache, and writes it if it has changed. A
// conflict is answered with the same change to what is there then.
func (r *OrderReconciler) changeSpending(ctx context.Context, run *orderRun, change func(v1alpha1.GenericIssuer)) error {
	ref := run.order.Spec.IssuerRef
	lock := r.spendingLocks.of(indexValue(run.order.Namespace, ref))
	lock.Lock()
	defer lock.Unlock()
	return clientretry.OnError(clientretry.DefaultRetry, apierrors.IsConflict, func() error {
		issuer, err := getIssuer(ctx, r.APIReader, run.order.Namespace, ref)
		if err != nil {
			return err
		}
		before := issuer.DeepCopyObject().(v1alpha1.GenericIssuer)
		change(issuer)
		if !spendingChanged(before, issuer) {
			return nil
		}
		issuer.GetStatus().Budgets = budgetsOf(issuer, run.now)
		return r.Status().Patch(ctx, issuer, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}
