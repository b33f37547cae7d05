// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
)

// Takes back an intent that was written although the API server did not confirm it in time: this process knows that no
// call followed. Nobody else can know that, so after a restart such an intent is in doubt like any other.
func (r *intending) retractUnsent(ctx context.Context, run *orderRun) outcome {
	unsent, ok := r.unsent.Load(run.order.UID)
	if !ok || run.order.Status.HandedOverTo != "" ||
		!book.SameIntent(run.order.Status.Submission, unsent.(v1alpha1.OrderSubmission)) {
		return proceed()
	}
	if err := r.withdrawIntent(ctx, run, unsent.(v1alpha1.OrderSubmission)); err != nil {
		return apiError(err)
	}
	r.unsent.Delete(run.order.UID)
	log.FromContext(ctx).Info("the intent to order was written late, and CAS was not asked: it is taken back")
	return proceed()
}

// Takes an intent back, and what it counts towards budgets. The proof is only about this intent: if the stored one is
// newer (this process was paused, and another replica went on), or there is an id, leaves it and returns
// errOtherIntent.
func (r *intending) withdrawIntent(ctx context.Context, run *orderRun, intent v1alpha1.OrderSubmission) error {
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		if status.OrderID != "" || !book.SameIntent(status.Submission, intent) {
			return errOtherIntent
		}
		status.Submission = nil
		return nil
	})
	if err == nil {
		r.refund(ctx, run)
	}
	return err
}
