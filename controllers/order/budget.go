// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"crypto/x509"
	"hash/maphash"
	"sync"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	clientretry "k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/budget"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// +kubebuilder:rbac:groups=cert-manager.io,resources=certificates,verbs=get
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers;aliyunclusterissuers,verbs=get
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers/status;aliyunclusterissuers/status,verbs=patch

// spendingLocks let one order at a time read and change the record of an issuer. Between processes, the resourceVersion
// of the issuer does that. All issuers share a fixed number of locks, so that no lock has to be forgotten with its
// issuer.
type spendingLocks struct {
	seed  maphash.Seed
	once  sync.Once
	locks [64]sync.Mutex
}

// ledger keeps the issuers' records of what was ordered.
type ledger struct {
	*kube

	locks *spendingLocks
}

func (l *spendingLocks) of(issuer string) *sync.Mutex {
	l.once.Do(func() { l.seed = maphash.MakeSeed() })
	return &l.locks[maphash.String(l.seed, issuer)%uint64(len(l.locks))]
}

// Returns what an order asks its issuer's budgets for.
func demandOf(run *orderRun) budget.Demand {
	order := run.order
	p := budget.Demand{Order: order.UID, Namespace: order.Namespace, Names: budget.NamesHash(order.Spec.DNSNames),
		EndsSoon: run.endsSoon, Product: run.offer.Product()}
	return p
}

// Holds an order that is one too many. Lets an order pass by the cached issuer, since charge checks again; reads the
// issuer past the cache before it holds one.
func (r *ledger) checkBudget(ctx context.Context, run *orderRun) outcome {
	if budget.Decide(run.issuer, demandOf(run), run.now).Fits() {
		return proceed()
	}
	certificate, err := r.certificateOf(ctx, run)
	if err != nil {
		return apiError(err)
	}
	end := proceed()
	err = r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) {
		v := budget.Decide(issuer, demandOf(run), run.now)
		if v.Reason == v1alpha1.ReasonOrderRateExceeded {
			p := demandOf(run)
			v = budget.HoldsLoop(&p, certificate, issuer, run.now)
			run.endsSoon = p.EndsSoon
		}
		end = proceed()
		if !v.Fits() {
			after := time.Hour
			if !v.Until.IsZero() {
				after = min(max(v.Until.Sub(run.now), time.Second), after)
			}
			if orders.IsShownByCheck(v.Reason) {
				after = min(after, jitter(holdLongest))
			}
			end = hold(after, v.Reason, v.Message)
		}
	})
	if err != nil {
		return apiError(err)
	}
	return end
}

// Returns the Certificate of the request, or an empty one if there is none.
func (r *ledger) certificateOf(ctx context.Context, run *orderRun) (*cmapi.Certificate, error) {
	certificate := &cmapi.Certificate{}
	name := run.request.Annotations[cmapi.CertificateNameKey]
	if name == "" {
		return certificate, nil
	}
	err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: run.order.Namespace, Name: name}, certificate)
	return certificate, client.IgnoreNotFound(err)
}

// Counts an order right before it is bought. If the order is one too many by now, ends the run, and the next one holds
// the order (checkBudget).
func (r *ledger) charge(ctx context.Context, run *orderRun) outcome {
	p, end := demandOf(run), proceed()
	err := r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) {
		if end = repeatsRecord(run, issuer); end.endsRun() {
			return
		}
		if !budget.Decide(issuer, p, run.now).Fits() {
			end = notYet(time.Second)
			return
		}
		budget.CountOrder(issuer, p, run.now)
	})
	if err != nil {
		return apiError(err)
	}
	return end
}

// Takes back the count of an order that is proven to have bought nothing. If that fails, the order counts until it
// leaves the window, and its next submission does not count again.
func (r *ledger) refund(ctx context.Context, run *orderRun) {
	err := r.changeSpending(
		ctx, run, func(issuer v1alpha1.GenericIssuer) { budget.TakeBack(issuer, demandOf(run), run.now) })
	if err != nil {
		log.FromContext(ctx).Error(err, "an order that bought nothing counts towards the budget")
	}
}

// Notes what the next order for the names has to know of this one: until when its certificate lasts, and which signing
// request the CA has seen. Only logs a failure, which must not keep the order from ending.
func (r *ledger) noteEnd(ctx context.Context, run *orderRun) {
	if !isSeen(run.order.Status) {
		return
	}
	var issued *x509.Certificate
	if certificates := chain.Certificates(run.order.Status.Certificate); len(certificates) > 0 {
		issued = certificates[0]
	}
	err := r.changeSpending(ctx, run, func(issuer v1alpha1.GenericIssuer) {
		budget.NoteEnd(issuer, budget.NamesHash(run.order.Spec.DNSNames), issued, seenRequest(run), run.now)
	})
	if client.IgnoreNotFound(err) != nil {
		log.FromContext(ctx).Error(err, "the next order for these names will not be known as a renewal, nor its "+
			"signing request as used")
	}
}

// Reads the order's issuer past the cache, changes its record, and writes it if it has changed. After a conflict, makes
// the same change to what is there then.
func (r *ledger) changeSpending(ctx context.Context, run *orderRun,
	change func(v1alpha1.GenericIssuer)) error {
	ref := run.order.Spec.IssuerRef
	lock := r.locks.of(issuers.IndexValue(run.order.Namespace, ref))
	lock.Lock()
	defer lock.Unlock()
	return clientretry.OnError(clientretry.DefaultRetry, apierrors.IsConflict, func() error {
		issuer, err := issuers.Get(ctx, r.APIReader, run.order.Namespace, ref)
		if err != nil {
			return err
		}
		before := issuer.DeepCopyObject().(v1alpha1.GenericIssuer)
		change(issuer)
		if !budget.Changed(before, issuer) {
			return nil
		}
		issuer.GetStatus().Budgets = budget.StatusOf(issuer, run.now)
		return r.Status().Patch(ctx, issuer, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}
