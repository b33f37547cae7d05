// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/requests"
)

// wrapping is the phase wrapUp.
type wrapping struct {
	*kube
	*ledger
	*cleaning
	*intending
	*releasing
	*memory

	efforts  *efforts
	accepted *sync.Map
}

// wrapUp ends orders: one that is deleted or has failed is given back, one that has ended is tidied up after. Both
// end within a bound, whatever Alibaba Cloud says, and tell what they had to leave behind.
func (r *wrapping) wrapUp(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if id, ok := r.accepted.Load(run.order.UID); ok {
		if end := r.recordOrderID(ctx, run, id.(string)); end.endsRun() {
			return end
		}
	}
	if end := r.retractUnsent(ctx, run); end.endsRun() {
		return end
	}
	isIssued := len(status.Certificate) > 0
	if status.HandedOverTo != "" {
		return r.handOver(ctx, run)
	}
	if run.order.DeletionTimestamp != nil && status.Release == nil && !isIssued {
		if left := r.heirTime(ctx, run); left > 0 {
			return notYet(left)
		}
		run.beginRelease(v1alpha1.ReasonDeleted, "the AliyunOrder was deleted")
		if err := r.save(ctx, run); err != nil {
			return apiError(err)
		}
	}
	switch {
	case !isIssued && status.Release == nil:
		return proceed()
	case !isIssued && status.Release.Outcome == "":
		return r.release(ctx, run)
	default:
		return r.tidy(ctx, run)
	}
}

// Returns how long a deleted Order still waits for an heir. Counts from when this process first saw the deletion: while
// no controller ran, nobody could make an Order for the request that replaces the old one. Does not wait if the
// namespace is being deleted, where no such request will come.
func (r *wrapping) heirTime(ctx context.Context, run *orderRun) time.Duration {
	if !book.MayHaveOrder(run.order) || !isWorth(run.order, run.now) || r.isTerminating(ctx, run.order.Namespace) {
		return 0
	}
	return heirPatience - r.efforts.tried(run.order.UID, activityHeir, heirPatience, run.now, nil).age(run.now)
}

// Returns how long a release, or a clean-up, is tried: usually so long, and less where a namespace that is going away
// waits for it.
func effortBound(usual time.Duration, isTerminating bool) time.Duration {
	if isTerminating {
		return namespaceBound
	}
	return usual
}

// Returns how long to wait before the next try of what has just not succeeded.
func (run *orderRun) nextTry(made effort, err error) time.Duration {
	if isThrottle(err) {
		return pollDelay(min(run.endedAge(), time.Minute))
	}
	return made.delay(run.now)
}

func (r *kube) isTerminating(ctx context.Context, namespace string) bool {
	ns := r.namespace(ctx, namespace)
	return ns != nil && ns.DeletionTimestamp != nil
}

// Returns nil if the Namespace cannot be read.
func (r *kube) namespace(ctx context.Context, name string) *corev1.Namespace {
	ns := &corev1.Namespace{}
	if err := r.APIReader.Get(ctx, types.NamespacedName{Name: name}, ns); err != nil {
		return nil
	}
	return ns
}

// Waits until the request knows that its order has ended: if the Order went before, it would be made, and bought,
// again. Then removes the validation record, and lets go of the Order.
func (r *wrapping) tidy(ctx context.Context, run *orderRun) outcome {
	from := r.APIReader
	if !controllerutil.ContainsFinalizer(run.order, v1alpha1.OrderFinalizer) {
		from = r.Client // nothing is at stake any more
	}
	switch request, err := r.requestOf(ctx, from, run.order); {
	case err != nil:
		return apiError(err)
	case request == nil && run.order.DeletionTimestamp == nil:
		return r.dropOrphan(ctx, run)
	case !controllerutil.ContainsFinalizer(run.order, v1alpha1.OrderFinalizer):
		return notYet(0)
	case request != nil && !requests.IsFinished(request):
		return wait(holdFirst) // the status tells the request how it ends, and the end of the request wakes this order
	}
	r.noteEnd(ctx, run)
	if end := r.cleanUp(ctx, run); end.endsRun() {
		return end
	}
	return r.letGo(ctx, run)
}

// letGo removes the finalizer: nothing is left that only this Order knows.
func (r *wrapping) letGo(ctx context.Context, run *orderRun) outcome {
	next := run.stored.DeepCopy()
	controllerutil.RemoveFinalizer(next, v1alpha1.OrderFinalizer)
	if err := r.Patch(ctx, next,
		client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return apiError(err)
	}
	r.forget(ctx, run.order.UID)
	return notYet(0)
}

// Returns how long ago the order ended, or zero if it has not.
func (run *orderRun) endedAge() time.Duration {
	if release := run.order.Status.Release; release != nil {
		return run.now.Sub(release.StartedAt.Time)
	}
	if issued := meta.FindStatusCondition(run.order.Status.Conditions, v1alpha1.ConditionIssued); issued != nil {
		return run.now.Sub(issued.LastTransitionTime.Time)
	}
	return 0
}
