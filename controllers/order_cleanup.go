// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// cleanUp removes the validation record, if it is ours and nobody else's too.
func (r *OrderReconciler) cleanUp(ctx context.Context, run *orderRun) outcome {
	validation, uid := run.order.Status.Validation, run.order.UID
	if validation == nil || validation.Ownership != v1alpha1.RecordOurs || validation.CleanedUpAt != nil {
		return proceed()
	}
	if due := r.pace.remaining(uid, activityCleanUp, run.now); due > 0 {
		return rest(due)
	}
	isLeft, err := r.bequeath(ctx, run.order)
	if err != nil {
		return failed(err)
	}
	if !isLeft {
		err = r.withdraw(ctx, run)
	}
	if err == nil {
		r.efforts.end(uid, activityCleanUp)
		validation.CleanedUpAt = run.timestamp()
		if err := r.save(ctx, run); err != nil {
			return failed(err)
		}
		return proceed()
	}
	isTerminating := r.isTerminating(ctx, run.order.Namespace)
	made := r.efforts.tried(uid, activityCleanUp, effortBound(isTerminating), run.now, err)
	if !isThrottle(err) && made.isSpent(run.now) {
		r.efforts.end(uid, activityCleanUp)
		log.FromContext(ctx).Error(err, "a validation record could not be removed", "record", validation.FQDN, "zone", validation.Zone)
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "CleanUpFailed", "CleanUp",
			"%s could not be removed, remove it by hand: %s", proof(run.order), cmp.Or(lost(run.order, err, isTerminating), err.Error()))
		return proceed()
	}
	delay := run.nextTry(made, err)
	r.pace.next(uid, activityCleanUp, run.now.Add(delay))
	return rest(delay)
}

func (r *OrderReconciler) withdraw(ctx context.Context, run *orderRun) error {
	solver, err := r.Remote.solver(orderSolver(run, credentials.Last{Store: r.Remote.Secrets}))
	if err != nil {
		return err
	}
	return solver.CleanUp(ctx, recordOf(run.order.Status.Validation))
}

// bequeath leaves the record to another order that needs the very same one, as orders for a name do whose CAs give it a
// lasting value. That one removes it, if its solver can.
func (r *OrderReconciler) bequeath(ctx context.Context, order *v1alpha1.AliyunOrder) (isLeft bool, err error) {
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, orders, client.MatchingFields{fieldRecord: order.Status.Validation.FQDN}); err != nil {
		return false, err
	}
	for i := range orders.Items {
		other := &orders.Items[i]
		if other.UID == order.UID || !needsSame(other, order.Status.Validation) {
			continue
		}
		isAble := other.Spec.SecretNamespace == order.Spec.SecretNamespace &&
			equality.Semantic.DeepEqual(other.Spec.Solver, order.Spec.Solver) && equality.Semantic.DeepEqual(other.Spec.Credentials, order.Spec.Credentials)
		if !isAble || other.Status.Validation.Ownership == v1alpha1.RecordOurs {
			return true, nil
		}
		heir := other.DeepCopy()
		heir.Status.Validation.Ownership, heir.Status.Validation.RecordID = v1alpha1.RecordOurs, order.Status.Validation.RecordID
		return true, r.Status().Patch(ctx, heir, client.MergeFromWithOptions(other, client.MergeFromWithOptimisticLock{}))
	}
	return false, nil
}

// needsSame says that the order still waits to be validated by a record.
func needsSame(order *v1alpha1.AliyunOrder, by *v1alpha1.OrderValidation) bool {
	status := order.Status
	if status.Validation == nil || len(status.Certificate) > 0 || status.Release != nil || status.HandedOverTo != "" || by.RecordType == dcv.TypeFile {
		return false
	}
	own := status.Validation
	return own.FQDN == by.FQDN && own.RecordType == by.RecordType && own.RecordValue == by.RecordValue && own.CleanedUpAt == nil
}
