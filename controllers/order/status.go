// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// conclude derives state and conditions from the facts, and from why the run stalled, if it did.
func (run *orderRun) conclude(end outcome) {
	status := &run.order.Status
	sum := summarize(run)
	if end.kind == outcomeHold {
		sum = summary{v1alpha1.OrderStateHeld, end.reason, end.message + ". " + nextLook(end.after)}
	}
	if !run.throttledSince.IsZero() {
		sum.message += fmt.Sprintf("; CAS has throttled the calls of this account since %s, and is asked again "+
			"within minutes", run.throttledSince.UTC().Format(time.RFC3339))
	}
	if status.State != sum.state {
		status.State, status.StateSince = sum.state, run.timestamp()
	}
	status.Visible = countVisible(status.Validations)
	concludeDeadline(run, sum.state)
	if status.OrderID != "" {
		run.condition(v1alpha1.ConditionSubmitted, metav1.ConditionTrue, v1alpha1.ReasonSubmitted,
			submitted(status, run.offer.Words()))
		concludeValidation(run, sum)
	}
	if sum.state == v1alpha1.OrderStateIssued {
		run.condition(v1alpha1.ConditionIssued, metav1.ConditionTrue, sum.reason, sum.message)
		run.condition(v1alpha1.ConditionReady, metav1.ConditionTrue, sum.reason, sum.message)
		return
	}
	run.condition(v1alpha1.ConditionReady, metav1.ConditionFalse, sum.reason, apiserver.Bounded(sum.message, 32768))
}

// Tells people when an order that is held is looked at next. Has only a few answers, since each new one is a write.
func nextLook(after time.Duration) string {
	switch {
	case after == 0:
		return "This AliyunOrder goes on as soon as that has changed"
	case after <= time.Minute:
		return orders.Looked + "a minute"
	case after <= holdLongest*6/5:
		return orders.Looked + "12 minutes"
	default:
		return orders.Looked + "the hour"
	}
}

// concludeDeadline tells people until when the order is waited for.
func concludeDeadline(run *orderRun, state v1alpha1.OrderState) {
	status := &run.order.Status
	status.Deadline = nil
	if end, _ := deadline(run); !end.IsZero() && status.OrderID != "" && state != v1alpha1.OrderStateFailed &&
		state != v1alpha1.OrderStateReleasing {
		status.Deadline = &metav1.Time{Time: end}
	}
}

func submitted(status *v1alpha1.OrderStatus, words source.Words) string {
	switch status.OrderIDBasis {
	case v1alpha1.OrderIDByListing:
		return fmt.Sprintf(words.Presumed, status.OrderID)
	case v1alpha1.OrderIDByOperator:
		return fmt.Sprintf("an operator has named order %s. Its certificate will prove it", status.OrderID)
	default:
		return fmt.Sprintf("CAS has accepted the order %s", status.OrderID)
	}
}

func concludeValidation(run *orderRun, sum summary) {
	switch run.order.Status.Progress {
	case v1alpha1.PhaseAwaitingValidation, "":
		run.condition(v1alpha1.ConditionDomainsValidated, metav1.ConditionFalse, sum.reason, sum.message)
	case v1alpha1.PhaseInReview, v1alpha1.PhaseIssued:
		run.condition(v1alpha1.ConditionDomainsValidated, metav1.ConditionTrue, v1alpha1.ReasonValidated,
			"CAS no longer waits for the validation record")
	}
}

// tell says in an event what has changed, after it was written.
func (r *kube) tell(before, after *v1alpha1.AliyunOrder) {
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionReady)
	if is == nil || (was != nil && was.Reason == is.Reason && before.Status.State == after.Status.State) {
		return
	}
	kind := corev1.EventTypeNormal
	if after.Status.State == v1alpha1.OrderStateHeld || after.Status.State == v1alpha1.OrderStateFailed {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(after, nil, kind, is.Reason, "Order", "%s", apiserver.Bounded(is.Message, 1024))
}

func statusChanged(before, after *v1alpha1.AliyunOrder) bool {
	return !equality.Semantic.DeepEqual(before.Status, after.Status)
}
