// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	kuberetry "k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// handOver lets go of an Order once its heir has what it knew, and what CAS may still answer. An heir that is gone before
// has taken nothing, and the order is given back as any other.
func (r *OrderReconciler) handOver(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	heir, err := r.heir(ctx, run.order, status.HandedOverTo)
	switch {
	case err != nil:
		return failed(err)
	case heir == nil:
		status.HandedOverTo = ""
		if err := r.save(ctx, run); err != nil {
			return failed(err)
		}
		return rest(soon)
	case heir.Status.OrderID == "" && heir.Status.Submission == nil, !hasLearned(heir, run.order):
		return rest(holdFirst / 10)
	}
	if left := run.answerMayCome(); left > 0 {
		return rest(min(left, holdFirst/10))
	}
	if run.order.DeletionTimestamp == nil {
		return r.dropOrphan(ctx, run)
	}
	return r.letGo(ctx, run)
}

// hasLearned says that an heir knows the id that CAS has answered with, or a better reason for another one.
func hasLearned(heir, old *v1alpha1.AliyunOrder) bool {
	return old.Status.OrderIDBasis != v1alpha1.OrderIDByAnswer || heir.Status.OrderID == old.Status.OrderID || proofs[heir.Status.OrderIDBasis] > proofs[v1alpha1.OrderIDByAnswer] ||
		slices.Contains(heir.Status.ExcludedOrderIDs, old.Status.OrderID)
}

// answerMayCome is how long the call of an intent without an id may still be running.
func (run *orderRun) answerMayCome() time.Duration {
	if run.order.Status.OrderID != "" || run.order.Status.Submission == nil {
		return 0
	}
	return run.order.Status.Submission.StartedAt.Add(inDoubt).Sub(run.now)
}

// heir reads past the cache: an Order that is let go too early takes an order with it that nobody knows any more.
func (r *OrderReconciler) heir(ctx context.Context, old *v1alpha1.AliyunOrder, uid types.UID) (*v1alpha1.AliyunOrder, error) {
	orders, err := relatives(ctx, r.APIReader, old)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(orders, func(o v1alpha1.AliyunOrder) bool { return o.UID == uid })
	if at < 0 {
		return nil, nil
	}
	return &orders[at], nil
}

// recordForHeir writes the answer of CAS on the Order that goes on with a submission whose own Order was removed by
// force. It returns errOrderGone where there is none.
func (r *OrderReconciler) recordForHeir(ctx context.Context, run *orderRun, id cas.OrderID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordBound)
	defer cancel()
	return kuberetry.RetryOnConflict(kuberetry.DefaultBackoff, func() error {
		orders, err := relatives(ctx, r.APIReader, run.order)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(orders, func(o v1alpha1.AliyunOrder) bool {
			return isSame(&o, run.order) && holdsSame(&o, run.order) && (o.Status.OrderID == "" || o.Status.OrderID == string(id))
		})
		if at < 0 {
			return errOrderGone
		}
		next := orders[at].DeepCopy()
		next.Status.OrderID, next.Status.OrderIDBasis, next.Status.SubmittedAt = string(id), v1alpha1.OrderIDByAnswer, run.timestamp()
		return r.Status().Patch(ctx, next, client.MergeFromWithOptions(&orders[at], client.MergeFromWithOptimisticLock{}))
	})
}
