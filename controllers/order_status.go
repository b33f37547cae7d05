// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// summary is what people read first.
type summary struct {
	state   v1alpha1.OrderState
	reason  string
	message string
}

// conclude derives state and conditions from the facts, and from why the run stalled, if it did.
func (run *orderRun) conclude(end outcome) {
	status := &run.order.Status
	sum := summarize(run)
	if end.kind == outcomeStall {
		sum = summary{v1alpha1.OrderStateHeld, end.reason, end.message}
	}
	if status.State != sum.state {
		status.State, status.StateSince = sum.state, run.timestamp()
	}
	run.concludeDeadline(sum.state)
	if status.OrderID != "" {
		run.condition(v1alpha1.ConditionSubmitted, metav1.ConditionTrue, v1alpha1.ReasonSubmitted, submitted(status))
		run.concludeValidation(sum)
	}
	if sum.state == v1alpha1.OrderStateIssued {
		run.condition(v1alpha1.ConditionIssued, metav1.ConditionTrue, sum.reason, sum.message)
		run.condition(v1alpha1.ConditionReady, metav1.ConditionTrue, sum.reason, sum.message)
		return
	}
	run.condition(v1alpha1.ConditionReady, metav1.ConditionFalse, sum.reason, bounded(sum.message, 32768))
}

// concludeDeadline tells people until when the order is waited for.
func (run *orderRun) concludeDeadline(state v1alpha1.OrderState) {
	status := &run.order.Status
	status.Deadline = nil
	if end, _ := deadline(run); !end.IsZero() && status.OrderID != "" && state != v1alpha1.OrderStateFailed && state != v1alpha1.OrderStateReleasing {
		status.Deadline = &metav1.Time{Time: end}
	}
}

func submitted(status *v1alpha1.OrderStatus) string {
	switch status.OrderIDBasis {
	case v1alpha1.OrderIDByListing:
		return fmt.Sprintf("the answer of CAS was lost, and order %s is presumed to be this one: it is the only one in the listings of CAS that can be. Its certificate will prove it", status.OrderID)
	case v1alpha1.OrderIDByOperator:
		return fmt.Sprintf("an operator has named order %s. Its certificate will prove it", status.OrderID)
	default:
		return fmt.Sprintf("CAS has accepted the order %s", status.OrderID)
	}
}

func (run *orderRun) concludeValidation(sum summary) {
	switch cas.State(run.order.Status.CASState) {
	case cas.StateDomainVerify, "":
		run.condition(v1alpha1.ConditionDomainsValidated, metav1.ConditionFalse, sum.reason, sum.message)
	case cas.StateProcess, cas.StateCertificate:
		run.condition(v1alpha1.ConditionDomainsValidated, metav1.ConditionTrue, v1alpha1.ReasonValidated,
			"CAS no longer waits for the validation record")
	}
}

// summarize says from the facts alone how far the order is.
func summarize(run *orderRun) summary {
	status := run.order.Status
	switch {
	case len(status.Certificate) > 0:
		return summary{v1alpha1.OrderStateIssued, v1alpha1.ReasonIssued, fmt.Sprintf("CAS order %s is issued", status.OrderID)}
	case status.Release != nil:
		return released(run)
	case status.OrderID == "" && status.Submission != nil:
		return submitting(status.Submission, run.now)
	case status.OrderID == "":
		return summary{v1alpha1.OrderStatePending, v1alpha1.ReasonPending, "the order is not submitted yet"}
	}
	switch cas.State(status.CASState) {
	case cas.StateDomainVerify, "":
		return validating(run)
	case cas.StatePayed, cas.StateVerifyFail:
		return summary{v1alpha1.OrderStateReviewing, v1alpha1.ReasonUnknownState, fmt.Sprintf(
			"CAS gives the state of order %s as %q, which ends it: that is believed if CAS still says so at %s",
			status.OrderID, status.CASState, status.CASStateSince.Add(endedAfter).UTC().Format(time.RFC3339))}
	case cas.StateProcess, cas.StateCertificate:
		return summary{v1alpha1.OrderStateReviewing, v1alpha1.ReasonReviewing,
			fmt.Sprintf("CAS order %s is validated, and the CA works on it", status.OrderID)}
	default:
		return summary{v1alpha1.OrderStateReviewing, v1alpha1.ReasonUnknownState,
			fmt.Sprintf("CAS gives the state of order %s as %q, which says nothing about it: it is asked again", status.OrderID, status.CASState)}
	}
}

func submitting(submission *v1alpha1.OrderSubmission, now time.Time) summary {
	sum := summary{v1alpha1.OrderStateSubmitting, v1alpha1.ReasonPending, "CAS is asked for the order"}
	if now.Sub(submission.StartedAt.Time) >= inDoubt || submission.Attempt >= maxAttempts {
		sum.message = fmt.Sprintf("CAS was asked for the order at %s, and its answer is not known: it is looked for in the listings of CAS, and submitted again only once it is certain that none was made",
			submission.StartedAt.UTC().Format(time.RFC3339))
	}
	return sum
}

// released says how an order went back, cause first.
func released(run *orderRun) summary {
	order, release := run.order, run.order.Status.Release
	sum := summary{v1alpha1.OrderStateFailed, release.Reason, release.Message}
	switch release.Outcome {
	case "":
		sum.state = v1alpha1.OrderStateReleasing
		if order.Status.OrderID == "" {
			sum.message += "; what was ordered is looked for, to give it back"
		} else {
			sum.message += fmt.Sprintf("; CAS order %s is being given back", order.Status.OrderID)
		}
		if run.note != "" {
			sum.message += ": " + run.note
		}
	case v1alpha1.Released:
		sum.message += fmt.Sprintf("; CAS order %s was deleted, which gives its certificate back to the plan", order.Status.OrderID)
	case v1alpha1.NothingToRelease:
		if order.Status.OrderID == "" {
			sum.message += "; nothing was bought"
		} else {
			sum.message += fmt.Sprintf("; CAS order %s is gone or issued, and nothing can be given back", order.Status.OrderID)
		}
	case v1alpha1.Kept:
		sum.message += fmt.Sprintf("; CAS order %s is left at CAS, as spec.orders.onDelete of the issuer says", order.Status.OrderID)
	case v1alpha1.Unresolved:
		sum.message += "; " + unresolved(order)
	}
	return sum
}

// unresolved tells a person what is left to do. Nobody is told to cancel what may be somebody else's.
func unresolved(order *v1alpha1.AliyunOrder) string {
	switch name := order.Spec.CommonName; {
	case order.Status.OrderID == "":
		return fmt.Sprintf("an order for %q may have been bought at %s and could not be given back. Look in the console of CAS for an order for this name of that time%s, and cancel and delete it there if there is one",
			name, order.Status.Submission.StartedAt.UTC().Format(time.RFC3339), tagged(order))
	case order.Status.IsPresumed():
		return fmt.Sprintf("CAS order %s for %q is only presumed to be this one's, and was not given back. Look at it in the console of CAS, and cancel and delete it there if it is this one's%s",
			order.Status.OrderID, name, tagged(order))
	default:
		return fmt.Sprintf("CAS order %s for %q could not be given back: cancel and delete it in the console of CAS", order.Status.OrderID, name)
	}
}

// tagged tells by what people know an order of this request in the console.
func tagged(order *v1alpha1.AliyunOrder) string {
	if plan := order.Spec.Source.ResourcePlan; plan != nil && plan.Tags == v1alpha1.TagsDisabled {
		return ""
	}
	return fmt.Sprintf(", tagged %s/uid=%s", v1alpha1.Group, order.Spec.RequestRef.UID)
}

// tell says in an event what has changed, after it was written.
func (r *OrderReconciler) tell(before, after *v1alpha1.AliyunOrder) {
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionReady)
	if is == nil || (was != nil && was.Reason == is.Reason && before.Status.State == after.Status.State) {
		return
	}
	kind := corev1.EventTypeNormal
	if after.Status.State == v1alpha1.OrderStateHeld || after.Status.State == v1alpha1.OrderStateFailed {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(after, nil, kind, is.Reason, "Order", "%s", bounded(is.Message, 1024))
}

func statusChanged(before, after *v1alpha1.AliyunOrder) bool {
	return !equality.Semantic.DeepEqual(before.Status, after.Status)
}

// isAPIError tells an answer of the API server from other errors.
func isAPIError(err error) bool { return apierrors.ReasonForError(err) != metav1.StatusReasonUnknown }
