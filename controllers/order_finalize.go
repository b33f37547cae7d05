// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// finalize ends orders: one that is deleted or has failed is given back, one that has ended is tidied up after. Both
// end within a bound, whatever Alibaba Cloud says, and tell what they had to leave behind.
func (r *OrderReconciler) finalize(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if id, ok := r.accepted.Load(run.order.UID); ok {
		if end := r.recordOrderID(ctx, run, id.(cas.OrderID)); end.kind != outcomeProceed {
			return end
		}
	}
	isIssued := len(status.Certificate) > 0
	if status.HandedOverTo != "" {
		return r.handOver(ctx, run)
	}
	if run.order.DeletionTimestamp != nil && status.Release == nil && !isIssued {
		if left := r.heirTime(ctx, run); left > 0 {
			return rest(left)
		}
		run.beginRelease(v1alpha1.ReasonDeleted, "the AliyunOrder was deleted")
		if err := r.save(ctx, run); err != nil {
			return failed(err)
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

// heirTime is how long a deleted Order still waits for a request that replaces its own: since this process has known that
// it is deleted, for nobody could make an heir of a request while no controller ran. A namespace that goes away will have
// none.
func (r *OrderReconciler) heirTime(ctx context.Context, run *orderRun) time.Duration {
	hasOrder := run.order.Status.OrderID != "" || run.order.Status.Submission != nil
	if !hasOrder || !isWorth(run.order, run.now) || r.isTerminating(ctx, run.order.Namespace) {
		return 0
	}
	return heirPatience - r.efforts.tried(run.order.UID, activityHeir, heirPatience, run.now, nil).age(run.now)
}

// effortBound is how long a release, or a clean-up, is tried: a namespace that is going away cannot wait as long.
func effortBound(isTerminating bool) time.Duration {
	if isTerminating {
		return namespaceBound
	}
	return releaseBound
}

// nextTry is when to try again what has just come to no end.
func (run *orderRun) nextTry(made effort, err error) time.Duration {
	if isThrottle(err) {
		return pollDelay(min(run.endedAge(), time.Minute))
	}
	return made.delay(run.now)
}

func (r *OrderReconciler) isTerminating(ctx context.Context, namespace string) bool {
	ns := &corev1.Namespace{}
	err := r.APIReader.Get(ctx, types.NamespacedName{Name: namespace}, ns)
	return err == nil && ns.DeletionTimestamp != nil
}

// tidy waits until the request knows that its order has ended: an Order that goes before would be made, and bought,
// again. Then it removes the validation record, and lets go of the Order.
func (r *OrderReconciler) tidy(ctx context.Context, run *orderRun) outcome {
	from := r.APIReader
	if !controllerutil.ContainsFinalizer(run.order, v1alpha1.OrderFinalizer) {
		from = r.Client // nothing is at stake any more
	}
	switch request, err := r.requestOf(ctx, from, run.order); {
	case err != nil:
		return failed(err)
	case request == nil && run.order.DeletionTimestamp == nil:
		return r.dropOrphan(ctx, run)
	case !controllerutil.ContainsFinalizer(run.order, v1alpha1.OrderFinalizer):
		return rest(0)
	case request != nil && !isFinished(request):
		return rest(holdFirst) // the end of the request wakes this order earlier
	}
	r.noteIssued(ctx, run)
	if end := r.cleanUp(ctx, run); end.kind != outcomeProceed {
		return end
	}
	return r.letGo(ctx, run)
}

// letGo removes the finalizer: nothing is left that only this Order knows.
func (r *OrderReconciler) letGo(ctx context.Context, run *orderRun) outcome {
	next := run.stored.DeepCopy()
	controllerutil.RemoveFinalizer(next, v1alpha1.OrderFinalizer)
	if err := r.Patch(ctx, next, client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return failed(err)
	}
	r.forget(ctx, run.order.UID)
	return rest(0)
}

// endedAge is how long ago the order ended.
func (run *orderRun) endedAge() time.Duration {
	if release := run.order.Status.Release; release != nil {
		return run.now.Sub(release.StartedAt.Time)
	}
	if issued := meta.FindStatusCondition(run.order.Status.Conditions, v1alpha1.ConditionIssued); issued != nil {
		return run.now.Sub(issued.LastTransitionTime.Time)
	}
	return 0
}

// isFinished says that cert-manager will not let the request change any more.
func isFinished(request *cmapi.CertificateRequest) bool {
	switch cmutil.CertificateRequestReadyReason(request) {
	case cmapi.CertificateRequestReasonIssued, cmapi.CertificateRequestReasonFailed, cmapi.CertificateRequestReasonDenied:
		return true
	default:
		return false
	}
}
