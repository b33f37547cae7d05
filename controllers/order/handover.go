// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	kuberetry "k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
)

// Lets go of an Order once its heir has what it knew, no answer of CAS can come any more, and the validation record is
// removed if the heir's solver publishes elsewhere. If the heir is gone, and no other Order holds the same CAS order,
// takes the hand-over back: the order is given back as any other.
func (r *wrapping) handOver(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	heir, err := r.heir(ctx, run.order, status.HandedOverTo)
	switch {
	case err != nil:
		return apiError(err)
	case heir == nil:
		status.HandedOverTo = ""
		if err := r.save(ctx, run); err != nil {
			return apiError(err)
		}
		return notYet(soon)
	case !book.MayHaveOrder(heir), !hasLearned(heir, run.order):
		return notYet(holdFirst / 10)
	}
	if left := run.answerMayCome(); left > 0 {
		return notYet(min(left, holdFirst/10))
	}
	if end := r.cleanUpThose(ctx, run, func(v v1alpha1.OrderValidation) bool {
		return isOurs(v) && !sharePlace(run.order, heir, &v)
	}); end.endsRun() {
		return end
	}
	if run.order.DeletionTimestamp == nil {
		return r.dropOrphan(ctx, run)
	}
	return r.letGo(ctx, run)
}

// Says whether an heir knows the id that CAS has answered the old Order with, or has a stronger proof of another one,
// or has excluded it.
func hasLearned(heir, old *v1alpha1.AliyunOrder) bool {
	return old.Status.OrderIDBasis != v1alpha1.OrderIDByAnswer || heir.Status.OrderID == old.Status.OrderID ||
		proofs[heir.Status.OrderIDBasis] > proofs[v1alpha1.OrderIDByAnswer] ||
		slices.Contains(heir.Status.ExcludedOrderIDs, old.Status.OrderID)
}

// Returns how long the call of an intent without an id may still be running.
func (run *orderRun) answerMayCome() time.Duration {
	if run.order.Status.OrderID != "" || run.order.Status.Submission == nil {
		return 0
	}
	return run.order.Status.Submission.StartedAt.Add(inDoubt).Sub(run.now)
}

// Returns the heir with this UID, or else an Order that holds the same order at CAS, or nil. Reads past the cache: if
// an Order is let go too early, nobody knows its order at CAS any more.
func (r *wrapping) heir(ctx context.Context, old *v1alpha1.AliyunOrder,
	uid types.UID) (*v1alpha1.AliyunOrder, error) {
	orders, err := relatives(ctx, r.APIReader, old)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(orders, func(o v1alpha1.AliyunOrder) bool { return o.UID == uid })
	if at < 0 { // the heir may have handed over in turn
		at = slices.IndexFunc(orders, func(o v1alpha1.AliyunOrder) bool {
			return isSame(&o, old) &&
				holdsSame(&o, old)
		})
	}
	if at < 0 {
		return nil, nil
	}
	return &orders[at], nil
}

// Writes the answer of CAS on the heir of an Order that was removed by force during its submission. Returns
// errOrderGone if there is no heir.
func (r *intending) recordForHeir(ctx context.Context, run *orderRun, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordBound)
	defer cancel()
	return kuberetry.RetryOnConflict(kuberetry.DefaultBackoff, func() error {
		orders, err := relatives(ctx, r.APIReader, run.order)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(orders, func(o v1alpha1.AliyunOrder) bool {
			return isSame(&o, run.order) && holdsSame(&o, run.order) &&
				(o.Status.OrderID == "" || o.Status.OrderID == id)
		})
		if at < 0 {
			return errOrderGone
		}
		next := orders[at].DeepCopy()
		next.Status.OrderID, next.Status.OrderIDBasis, next.Status.SubmittedAt = id, v1alpha1.OrderIDByAnswer,
			run.timestamp()
		return r.Status().Patch(
			ctx, next, client.MergeFromWithOptions(&orders[at], client.MergeFromWithOptimisticLock{}))
	})
}
