// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// cleaning removes validation records.
type cleaning struct {
	*kube
	*outside

	pace    *pace
	efforts *efforts
}

// Removes what was published and is ours, or leaves it to another order that needs the same.
func (r *cleaning) cleanUp(ctx context.Context, run *orderRun) outcome {
	return r.cleanUpThose(ctx, run, isOurs)
}

// Removes those that are chosen. One that cannot be removed keeps no other from being.
func (r *cleaning) cleanUpThose(ctx context.Context, run *orderRun,
	isChosen func(v1alpha1.OrderValidation) bool) outcome {
	validations, uid := run.order.Status.Validations, run.order.UID
	if !slices.ContainsFunc(validations, isChosen) {
		return proceed()
	}
	if due := r.pace.remaining(uid, activityCleanUp, run.now); due > 0 {
		return notYet(due)
	}
	var left, removed *v1alpha1.OrderValidation
	var cause error
	for i := range validations {
		if !isChosen(validations[i]) {
			continue
		}
		isLeft, err := r.bequeath(ctx, run.order, &validations[i])
		if err != nil {
			return apiError(err)
		}
		if !isLeft {
			err = r.removeRecord(ctx, run, &validations[i])
		}
		switch {
		case err == nil:
			removed = &validations[i]
			removed.CleanedUpAt = run.timestamp()
		case left == nil:
			left, cause = &validations[i], err
		}
	}
	if left != nil {
		return r.notCleanedUp(ctx, run, left, cause)
	}
	r.efforts.end(uid, activityCleanUp)
	if meta.FindStatusCondition(run.order.Status.Conditions, v1alpha1.ConditionCleanedUp) != nil {
		run.condition(v1alpha1.ConditionCleanedUp, metav1.ConditionTrue, v1alpha1.ReasonCleanedUp, proof(removed)+
			" is removed, or left to another order that needs it")
	}
	if err := r.save(ctx, run); err != nil {
		return apiError(err)
	}
	return proceed()
}

// Says in a condition why the record is not removed yet, and for how long that is tried: an order that has ended has no
// other place for it, and the issuer's check reads there what RAM refuses. Once the effort is spent, gives up, and asks
// a person to remove the record by hand.
func (r *cleaning) notCleanedUp(ctx context.Context, run *orderRun, left *v1alpha1.OrderValidation,
	cause error) outcome {
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
	text := fmt.Sprintf("%s is not removed yet, which is tried for %d minutes: %s", proof(left),
		int(bound.Minutes()), cmp.Or(gone, message))
	if made.isSpent(run.now) {
		if reason != v1alpha1.ReasonPermissionDenied {
			message = cause.Error() // without advice, which may say that it is tried again
		}
		text = fmt.Sprintf("%s could not be removed, remove it by hand: %s", proof(left), cmp.Or(gone, message))
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
		left.FQDN, "zone", left.Zone)
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, v1alpha1.ReasonCleanUpFailed, "CleanUp", "%s",
		apiserver.Bounded(text, 1024))
	return proceed()
}

func (r *cleaning) removeRecord(ctx context.Context, run *orderRun, validation *v1alpha1.OrderValidation) error {
	solver, err := r.Remote.Solver(useFor(run, validation, credentials.Last{Store: r.Remote.Secrets}))
	if err != nil {
		return err
	}
	return solver.CleanUp(ctx, recordOf(validation))
}

// Leaves the record to another open Order that needs it, if there is one: some CAs use the same record for every order
// of a name. Makes that Order the record's owner if its solver can remove the record.
func (r *cleaning) bequeath(ctx context.Context, order *v1alpha1.AliyunOrder,
	validation *v1alpha1.OrderValidation) (isLeft bool, err error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, list, client.MatchingFields{book.IndexRecord: validation.FQDN}); err != nil {
		return false, err
	}
	for i := range list.Items {
		other := &list.Items[i]
		isHeir := other.UID == order.Status.HandedOverTo // handOver cleans up only if the heir publishes elsewhere
		if other.UID == order.UID || isHeir || needed(other, validation) < 0 {
			continue
		}
		switch other, err = r.stillNeedsSame(ctx, other, validation); {
		case err != nil:
			return false, err
		case other == nil:
			continue
		}
		heir := other.DeepCopy()
		theirs := &heir.Status.Validations[needed(heir, validation)]
		isAble := other.Spec.SecretNamespace == order.Spec.SecretNamespace &&
			equality.Semantic.DeepEqual(orders.SolverOf(other, theirs), orders.SolverOf(order, validation)) &&
			equality.Semantic.DeepEqual(other.Spec.Credentials, order.Spec.Credentials)
		if !isAble || theirs.Ownership == v1alpha1.RecordOurs {
			return true, nil
		}
		theirs.Ownership, theirs.RecordID = v1alpha1.RecordOurs, validation.RecordID
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
	if err != nil || order.UID != cached.UID || needed(order, by) < 0 {
		return nil, client.IgnoreNotFound(err)
	}
	return order, nil
}

// Returns which of its validations an order still waits for that stands in the same record, or -1.
func needed(order *v1alpha1.AliyunOrder, by *v1alpha1.OrderValidation) int {
	status := order.Status
	if len(status.Certificate) > 0 || status.Release != nil || status.HandedOverTo != "" {
		return -1
	}
	return slices.IndexFunc(status.Validations, func(own v1alpha1.OrderValidation) bool {
		return isSameRecord(own, *by) && own.CleanedUpAt == nil
	})
}
