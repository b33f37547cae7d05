// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"cmp"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// cleaning removes validation records.
type cleaning struct {
	*kube
	*outside

	pace    *pace
	efforts *efforts
}

// Removes the validation record if it is ours, or leaves it to another order that needs the same one.
func (r *cleaning) cleanUp(ctx context.Context, run *orderRun) outcome {
	validation, uid := run.order.Status.Validation, run.order.UID
	if validation == nil || validation.Ownership != v1alpha1.RecordOurs || validation.CleanedUpAt != nil {
		return proceed()
	}
	if due := r.pace.remaining(uid, activityCleanUp, run.now); due > 0 {
		return notYet(due)
	}
	isLeft, err := r.bequeath(ctx, run.order)
	if err != nil {
		return apiError(err)
	}
	if !isLeft {
		err = r.removeRecord(ctx, run)
	}
	if err == nil {
		r.efforts.end(uid, activityCleanUp)
		validation.CleanedUpAt = run.timestamp()
		if meta.FindStatusCondition(run.order.Status.Conditions, v1alpha1.ConditionCleanedUp) != nil {
			run.condition(v1alpha1.ConditionCleanedUp, metav1.ConditionTrue, v1alpha1.ReasonCleanedUp, proof(run.order)+
				" is removed, or left to another order that needs it")
		}
		if err := r.save(ctx, run); err != nil {
			return apiError(err)
		}
		return proceed()
	}
	return r.notCleanedUp(ctx, run, err)
}

// Says in a condition why the record is not removed yet, and for how long that is tried: an order that has ended has no
// other place for it, and the issuer's check reads there what RAM refuses. Once the effort is spent, gives up, and asks
// a person to remove the record by hand.
func (r *cleaning) notCleanedUp(ctx context.Context, run *orderRun, cause error) outcome {
	uid, bound := run.order.UID, effortBound(releaseBound, r.isTerminating(ctx, run.order.Namespace))
	made := r.efforts.tried(uid, activityCleanUp, bound, run.now, cause)
	delay := run.nextTry(made, cause)
	if isThrottle(cause) {
		r.pace.next(uid, activityCleanUp, run.now.Add(delay))
		return notYet(delay)
	}
	reason, message := verdict.Explain(cause)
	if reason != v1alpha1.ReasonPermissionDenied {
		reason = v1alpha1.ReasonCleanUpFailed
	}
	gone := r.lost(ctx, run.order, cause)
	text := fmt.Sprintf("%s is not removed yet, which is tried for %d minutes: %s", proof(run.order),
		int(bound.Minutes()), cmp.Or(gone, message))
	if made.isSpent(run.now) {
		if reason != v1alpha1.ReasonPermissionDenied {
			message = cause.Error() // without advice, which may say that it is tried again
		}
		text = fmt.Sprintf("%s could not be removed, remove it by hand: %s", proof(run.order), cmp.Or(gone, message))
	}
	run.condition(v1alpha1.ConditionCleanedUp, metav1.ConditionFalse, reason, apiserver.Bounded(text, 32768))
	if err := r.save(ctx, run); err != nil {
		return apiError(err)
	}
	if !made.isSpent(run.now) {
		r.pace.next(uid, activityCleanUp, run.now.Add(delay))
		return notYet(delay)
	}
	r.efforts.end(uid, activityCleanUp)
	log.FromContext(ctx).Error(cause, "a validation record could not be removed", "record",
		run.order.Status.Validation.FQDN, "zone", run.order.Status.Validation.Zone)
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, v1alpha1.ReasonCleanUpFailed, "CleanUp", "%s",
		apiserver.Bounded(text, 1024))
	return proceed()
}

func (r *cleaning) removeRecord(ctx context.Context, run *orderRun) error {
	solver, err := r.Remote.Solver(orderSolver(run, credentials.Last{Store: r.Remote.Secrets}))
	if err != nil {
		return err
	}
	return solver.CleanUp(ctx, recordOf(run.order.Status.Validation))
}

// Leaves the record to another open Order that needs it, if there is one: some CAs use the same record for every order
// of a name. Makes that Order the record's owner if its solver can remove the record.
func (r *cleaning) bequeath(ctx context.Context, order *v1alpha1.AliyunOrder) (isLeft bool, err error) {
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, orders, client.MatchingFields{book.FieldRecord: order.Status.Validation.FQDN}); err != nil {
		return false, err
	}
	for i := range orders.Items {
		other := &orders.Items[i]
		isHeir := other.UID == order.Status.HandedOverTo // handOver cleans up only if the heir publishes elsewhere
		if other.UID == order.UID || isHeir || !needsSame(other, order.Status.Validation) {
			continue
		}
		switch other, err = r.stillNeedsSame(ctx, other, order.Status.Validation); {
		case err != nil:
			return false, err
		case other == nil:
			continue
		}
		isAble := other.Spec.SecretNamespace == order.Spec.SecretNamespace &&
			equality.Semantic.DeepEqual(other.Spec.Solver, order.Spec.Solver) &&
			equality.Semantic.DeepEqual(other.Spec.Credentials, order.Spec.Credentials)
		if !isAble || other.Status.Validation.Ownership == v1alpha1.RecordOurs {
			return true, nil
		}
		heir := other.DeepCopy()
		heir.Status.Validation.Ownership, heir.Status.Validation.RecordID = v1alpha1.RecordOurs,
			order.Status.Validation.RecordID
		return true, r.Status().Patch(
			ctx, heir, client.MergeFromWithOptions(other, client.MergeFromWithOptimisticLock{}))
	}
	return false, nil
}

// Returns an Order as it is past the cache, or nil if it does not need the record any more: nobody would ever remove a
// record that is left to an Order which has ended or handed over.
func (r *cleaning) stillNeedsSame(ctx context.Context, cached *v1alpha1.AliyunOrder,
	by *v1alpha1.OrderValidation) (*v1alpha1.AliyunOrder, error) {
	order := &v1alpha1.AliyunOrder{}
	err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(cached), order)
	if err != nil || order.UID != cached.UID || !needsSame(order, by) {
		return nil, client.IgnoreNotFound(err)
	}
	return order, nil
}

// Says whether an order still waits to be validated by the same record.
func needsSame(order *v1alpha1.AliyunOrder, by *v1alpha1.OrderValidation) bool {
	status := order.Status
	if status.Validation == nil || len(status.Certificate) > 0 || status.Release != nil || status.HandedOverTo != "" ||
		by.RecordType == dcv.TypeFile {
		return false
	}
	own := status.Validation
	return own.FQDN == by.FQDN && own.RecordType == by.RecordType && own.RecordValue == by.RecordValue &&
		own.CleanedUpAt == nil
}
