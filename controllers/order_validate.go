// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// presentAgain is how long a record may be invisible before the solver looks after it again, and about how long a visible
// one stays unwatched.
const presentAgain = 10 * time.Minute

// validate publishes what CAS asks for and looks whether the world sees it. CAS looks by itself: there is no call that
// asks it to.
func (r *OrderReconciler) validate(ctx context.Context, run *orderRun) outcome {
	if run.described.State != cas.StateDomainVerify {
		return proceed()
	}
	next := r.pace.remaining(run.order.UID, activityObserve, run.now)
	if run.order.Status.Validation == nil || isNone(run.order.Spec.Solver) {
		return wait(next)
	}
	if end := r.renew(ctx, run); end.kind != outcomeProceed {
		r.pace.next(run.order.UID, activityObserve, run.now.Add(end.after))
		return end
	}
	r.lookAfter(ctx, run)
	if run.order.Status.Validation.VisibleAt != nil {
		return wait(next)
	}
	if end := r.present(ctx, run); end.kind != outcomeProceed {
		r.pace.next(run.order.UID, activityObserve, run.now.Add(end.after))
		return end
	}
	r.look(ctx, run)
	return wait(next)
}

// renew follows CAS where it wants another proof than it did before: the old one proves nothing any more. It goes first,
// since nothing but the status knows what is ours.
func (r *OrderReconciler) renew(ctx context.Context, run *orderRun) outcome {
	old, next := run.order.Status.Validation, wantedProof(run.order, run.described)
	if next == nil || old.Domain == next.Domain && old.RecordName == next.RecordName && old.RecordType == next.RecordType && old.RecordValue == next.RecordValue {
		return proceed()
	}
	if end := r.cleanUp(ctx, run); end.kind != outcomeProceed {
		return end
	}
	run.order.Status.Validation = next
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeNormal, "ProofChanged", "Validate",
		"CAS order %s wants another validation %s than before: the old one was cleaned up, as far as it was this controller's", run.order.Status.OrderID, proofKind(run.order))
	return proceed()
}

// lookAfter looks from time to time whether what was visible still is: CAS deletes records that it takes for
// conflicting ones (CAS contract §4), and so do people. What has vanished is presented again at once.
func (r *OrderReconciler) lookAfter(ctx context.Context, run *orderRun) {
	validation := run.order.Status.Validation
	if validation.VisibleAt == nil || r.pace.remaining(run.order.UID, activityLook, run.now) > 0 {
		return
	}
	if r.look(ctx, run); validation.VisibleAt == nil {
		validation.PresentedAt = nil
	}
}

func (r *OrderReconciler) present(ctx context.Context, run *orderRun) outcome {
	validation := run.order.Status.Validation
	if validation.PresentedAt != nil && run.now.Sub(validation.PresentedAt.Time) < presentAgain {
		return proceed()
	}
	use := orderSolver(run, r.Remote.Secrets)
	if err := r.Remote.mayRoute(use); err != nil {
		return presentFailed(err, run)
	}
	solver, err := r.Remote.solver(use)
	if err != nil {
		return stall(holdLongest, v1alpha1.ReasonPresentFailed, fmt.Sprintf("the solver cannot be used: %v", err))
	}
	challenge := dcv.Challenge{
		Domain: validation.Domain, RecordName: validation.RecordName, RecordType: validation.RecordType, RecordValue: validation.RecordValue,
	}
	record, err := solver.Present(ctx, challenge, prior(validation), func(ctx context.Context, claimed dcv.Record) error {
		run.own(claimed)
		return r.save(ctx, run)
	})
	if err != nil {
		return presentFailed(err, run)
	}
	run.own(record)
	run.order.Status.Validation.PresentedAt = run.timestamp()
	return proceed()
}

// presentFailed tells an error of the API server, which the claim may have met, from one of the solver.
func presentFailed(err error, run *orderRun) outcome {
	if isAPIError(err) {
		return failed(err)
	}
	if cas.IsThrottled(err) {
		return wait(pollDelay(run.stateAge()))
	}
	reason, message := explain(err)
	if reason == v1alpha1.ReasonCASUnavailable {
		reason = v1alpha1.ReasonPresentFailed
	}
	return stall(holdFor(err, run.stateAge()), reason, message)
}

// prior is what an earlier run claimed or made, or nil.
func prior(validation *v1alpha1.OrderValidation) *dcv.Record {
	if validation.Ownership == "" {
		return nil
	}
	record := recordOf(validation)
	return &record
}

func recordOf(validation *v1alpha1.OrderValidation) dcv.Record {
	return dcv.Record{
		FQDN: validation.FQDN, Type: validation.RecordType, Value: validation.RecordValue, Zone: validation.Zone,
		ProviderID: validation.RecordID, Foreign: validation.Ownership == v1alpha1.RecordForeign,
	}
}

func (run *orderRun) own(record dcv.Record) {
	validation := run.order.Status.Validation
	validation.FQDN, validation.Zone, validation.RecordID = record.FQDN, record.Zone, record.ProviderID
	validation.Ownership = v1alpha1.RecordOurs
	if record.Foreign {
		validation.Ownership = v1alpha1.RecordForeign
	}
}

// look is for people: it tells whether waiting is all that is left to do. The CA has eyes of its own.
func (r *OrderReconciler) look(ctx context.Context, run *orderRun) {
	validation := run.order.Status.Validation
	seen, err := r.Remote.check(ctx, recordOf(validation))
	if err != nil {
		run.note = fmt.Sprintf("whether it is visible could not be checked: %v", err)
		return
	}
	r.pace.next(run.order.UID, activityLook, run.now.Add(around(presentAgain)))
	validation.Seen = nil
	for _, other := range seen.Seen {
		validation.Seen = append(validation.Seen, bounded(other, 512))
	}
	switch {
	case !seen.Visible:
		validation.VisibleAt = nil
	case validation.VisibleAt == nil:
		validation.VisibleAt = run.timestamp()
	}
}
