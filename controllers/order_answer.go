// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// errOtherID says that the order has got an id meanwhile, and that it is another one.
var errOtherID = errors.New("the AliyunOrder has another order id already")

// errOtherIntent says that somebody has gone on with the order meanwhile.
var errOtherIntent = errors.New("the AliyunOrder has another intent, or an order id, already")

// recordOrderID is what everything else waits for. An id that cannot be written is kept in memory, told, and written
// by the next run.
func (r *OrderReconciler) recordOrderID(ctx context.Context, run *orderRun, id cas.OrderID) outcome {
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		if status.OrderID != "" && status.OrderID != string(id) {
			return errOtherID
		}
		status.OrderID, status.OrderIDBasis, status.SubmittedAt = string(id), v1alpha1.OrderIDByAnswer, run.timestamp()
		return nil
	})
	if errors.Is(err, errOrderGone) {
		err = r.recordForHeir(ctx, run, id)
	}
	if err == nil {
		r.accepted.Delete(run.order.UID)
		return proceed()
	}
	if !errors.Is(err, errOrderGone) {
		r.accepted.Store(run.order.UID, id)
	}
	log.FromContext(ctx).Error(err, "CAS has accepted an order whose id could not be written", "orderID", id)
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "OrderIDNotWritten", "Submit",
		"CAS has accepted the order %s, and its id could not be written: %v", id, err)
	if errors.Is(err, errOtherID) {
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
			"CAS has accepted two orders for %q: %s and %s. Cancel and delete one of them in the console of CAS", run.order.Spec.CommonName, run.stored.Status.OrderID, id))
	}
	return failed(err)
}

// notBought takes the intent back, which only proof permits. The proof is about this intent: a process that slept may
// find that of its successor instead.
func (r *OrderReconciler) notBought(ctx context.Context, run *orderRun, cause error) outcome {
	disproved := *run.order.Status.Submission // the order's own may become another's
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		present := status.Submission
		if status.OrderID != "" || present == nil || present.Attempt != disproved.Attempt || !present.StartedAt.Equal(&disproved.StartedAt) {
			return errOtherIntent
		}
		status.Submission = nil
		return nil
	})
	if err != nil {
		return failed(err)
	}
	r.refund(ctx, run)
	if cas.KindOf(cause) == cas.KindExhausted {
		reason, message := explain(cause)
		return stall(r.spent.found(plan(run), true, run.now), reason, message)
	}
	if cas.KindOf(cause) == cas.KindInvalid {
		_, message := explain(cause)
		return fail(v1alpha1.ReasonRejected, message)
	}
	return judge(cause, run.stateAge())
}
