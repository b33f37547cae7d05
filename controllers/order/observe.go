// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// observing is the phase observe.
type observing struct {
	*kube
	*outside
	*holding

	pace *pace
}

// observe asks CAS for the order, once in a run and not before it is due, and takes down what it says.
func (r *observing) observe(ctx context.Context, run *orderRun) outcome {
	if due := r.pace.remaining(run.order.UID, activityObserve, run.now); due > 0 {
		return notYet(due)
	}
	if run.order.Status.IsPresumed() {
		if end := r.soleHolder(ctx, run); end.endsRun() {
			return end
		}
	}
	delay := pollDelay(run.casStateAge())
	r.pace.next(run.order.UID, activityObserve, run.now.Add(delay))
	var seen *source.Observation
	session, err := r.open(run)
	if err == nil {
		seen, err = session.Observe(ctx, run.order.Status.OrderID)
	}
	if err == nil && seen.IsMissing {
		if err = r.inOtherAccount(ctx, run, access.OfOrder(run.order), r.Remote.Secrets); err == nil {
			return r.missing(run)
		}
	}
	if err != nil {
		end := judge(err, run.stateAge())
		r.pace.next(run.order.UID, activityObserve, run.now.Add(end.after))
		return end
	}
	run.seen = seen
	run.order.Status.Missing = nil
	run.takeDown(seen)
	r.tellChanged(run)
	if seen.Phase == v1alpha1.PhaseRefused {
		if run.orderedBefore, err = r.orderedBefore(ctx, run); err != nil {
			return apiError(err)
		}
	}
	end := read(run, delay)
	if end.kind == outcomeGiveUp || seen.Phase == v1alpha1.PhaseIssued {
		return end
	}
	if late := overdue(run); late.endsRun() {
		return late
	}
	return end
}

// Believes that an order is gone once CAS has not known it for an hour, in three looks: CAS may not know a new order
// for a while, and it knows none of another account, whose credentials somebody can correct.
func (r *observing) missing(run *orderRun) outcome {
	status := &run.order.Status
	if status.Missing == nil {
		status.Missing = &v1alpha1.OrderMissing{Since: *run.timestamp()}
	}
	status.Missing.Count++
	if age := run.now.Sub(status.Missing.Since.Time); age >= vanishedAfter && status.Missing.Count >= vanishedTimes {
		return giveUp(v1alpha1.ReasonOrderVanished, fmt.Sprintf(
			"CAS has not known order %s for %q since %s: somebody has deleted it, or the credentials are of another "+
				"account now: in that case, put those of the account that made it into the Secret",
			status.OrderID, run.order.Spec.CommonName, status.Missing.Since.UTC().Format(time.RFC3339)))
	}
	pause := vanishedAfter / (vanishedTimes - 1)
	r.pace.next(run.order.UID, activityObserve, run.now.Add(pause))
	return hold(pause, v1alpha1.ReasonOrderNotFound, fmt.Sprintf(
		"CAS does not know order %s: check that the credentials are of the account that made it. If CAS does not "+
			"know it for an hour, the request fails", status.OrderID))
}

// Says what a phase leads to. Believes a phase that ends the order only if CAS still says so after endedAfter, since an
// order that was withdrawn cannot be had back: CAS may give the state that every order has at first while it works on
// this one, or contradict itself (docs/design/cas.md §3.4). An issued order needs no second look: its certificate is
// there. An order that CAS does not know never comes here: see missing.
func read(run *orderRun, delay time.Duration) outcome {
	order := run.order
	switch phase := run.seen.Phase; {
	case phase == v1alpha1.PhaseAwaitingValidation, phase == v1alpha1.PhaseIssued:
		return proceed()
	case hasEnded(phase) && run.casStateAge() < endedAfter:
		return wait(min(delay, endedAfter))
	case phase == v1alpha1.PhaseRefused && run.orderedBefore != "":
		return giveUp(v1alpha1.ReasonVerificationFailed, fmt.Sprintf(
			"the CA refused CAS order %s for %q; CAS does not say why. CAS order %s had the same key before, and CAs "+
				"are said to refuse one that was used. %s. If that is not the cause, look at CAA records of the "+
				"domain, or ask the support of Alibaba Cloud what the CA says",
			order.Status.OrderID, order.Spec.CommonName, run.orderedBefore, useAnotherKey(run)))
	case phase == v1alpha1.PhaseRefused:
		return giveUp(v1alpha1.ReasonVerificationFailed, fmt.Sprintf(
			"the CA refused CAS order %s for %q; CAS does not say why. Look at CAA records of the domain, or ask "+
				"the support of Alibaba Cloud what the CA says",
			order.Status.OrderID, order.Spec.CommonName))
	case phase == v1alpha1.PhaseWithdrawnElsewhere:
		return giveUp(v1alpha1.ReasonWithdrawn, fmt.Sprintf("CAS order %s for %q %s%s", order.Status.OrderID,
			order.Spec.CommonName, run.offer.Words().Withdrawn, run.told()))
	default:
		return wait(delay)
	}
}

// told ends a message with what else CAS says of the order and how the order stands, for whoever asks why.
func (run *orderRun) told() string {
	if run.seen.Told == "" {
		return ""
	}
	return fmt.Sprintf(". CAS gives its state as %q, and says %s", run.seen.Word, run.seen.Told)
}

// tellChanged tells in a condition, as long as it is so, what somebody else has changed, and in an event once.
func (r *observing) tellChanged(run *orderRun) {
	conditions, message := &run.order.Status.Conditions, strings.Join(run.seen.Changed, "; ")
	was := meta.FindStatusCondition(*conditions, v1alpha1.ConditionChangedElsewhere)
	switch {
	case message == "":
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionChangedElsewhere)
	case was == nil || was.Message != message:
		run.condition(
			v1alpha1.ConditionChangedElsewhere, metav1.ConditionTrue, v1alpha1.ReasonChangedElsewhere, message)
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, v1alpha1.ReasonChangedElsewhere, "Observe",
			"CAS order %s was changed by somebody else: %s", run.order.Status.OrderID, message)
	}
}

// Says whether an order in the phase will never be issued.
func hasEnded(phase v1alpha1.OrderPhase) bool {
	return phase == v1alpha1.PhaseWithdrawnElsewhere || phase == v1alpha1.PhaseRefused
}

func (run *orderRun) takeDown(seen *source.Observation) {
	status := &run.order.Status
	if word := apiserver.Bounded(seen.Word, 64); status.CASState != word || status.Progress != seen.Phase {
		status.Progress, status.CASState, status.CASStateSince = seen.Phase, word, run.timestamp()
	}
	run.keep(seen.Stored)
	if len(status.Validations) == 0 {
		status.Validations = added(nil, seen.Validations)
	}
}

// Writes by what the certificate is known to other services. CAS may cease to tell what it has told.
func (run *orderRun) keep(stored source.Stored) {
	if stored.ID == "" {
		return
	}
	status := &run.order.Status
	status.CertificateID = apiserver.Bounded(stored.ID, 64)
	status.CertIdentifier = apiserver.Bounded(stored.Identifier, 128)
}

// Returns how long CAS has said the same, or how long ago the order was submitted if CAS has said nothing yet.
func (run *orderRun) casStateAge() time.Duration {
	since := run.order.Status.CASStateSince
	if since == nil {
		since = run.order.Status.SubmittedAt
	}
	if since == nil {
		return 0
	}
	return run.now.Sub(since.Time)
}
