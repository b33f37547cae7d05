// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// presentAgain is after how long a record that is still invisible is presented again, and about how often a visible one
// is looked at.
const presentAgain = 10 * time.Minute

// presenting is the phase validate.
type presenting struct {
	*kube
	*outside
	*cleaning
	*prechecking

	pace *pace
}

// validate publishes what CAS asks for and looks whether the world sees it. CAS looks by itself: there is no call that
// asks it to.
func (r *presenting) validate(ctx context.Context, run *orderRun) outcome {
	if run.seen.Phase != v1alpha1.PhaseAwaitingValidation {
		return proceed()
	}
	next := r.pace.remaining(run.order.UID, activityObserve, run.now)
	if end := r.prove(ctx, run); end.endsRun() {
		r.pace.next(run.order.UID, activityObserve, run.now.Add(end.after))
		return end
	}
	return wait(next)
}

// Brings each validation one step further. One that cannot be published keeps no other from being; the first of these
// is what people read.
func (r *presenting) prove(ctx context.Context, run *orderRun) outcome {
	if end := r.renew(ctx, run); end.endsRun() {
		return end
	}
	r.lookAfter(ctx, run)
	first := proceed()
	for i := range run.order.Status.Validations {
		validation := &run.order.Status.Validations[i]
		if validation.VisibleAt != nil || orders.SolverOf(run.order, validation).IsNone() {
			continue
		}
		switch end := r.present(ctx, run, validation); {
		case end.kind == outcomeError:
			return end
		case !end.endsRun():
			r.look(ctx, run, validation)
		case !first.endsRun():
			first = end
		}
	}
	return first
}

// Takes over what CAS lists now. A proof that is replaced proves nothing any more. Removes its record first, since
// nothing but the status knows that it is ours.
func (r *presenting) renew(ctx context.Context, run *orderRun) outcome {
	status, listed := &run.order.Status, run.seen.Validations
	old := superseded(status.Validations, listed)
	isOld := func(v v1alpha1.OrderValidation) bool {
		return slices.ContainsFunc(old, func(o v1alpha1.OrderValidation) bool { return isSameProof(o, v) })
	}
	if end := r.cleanUpThose(ctx, run, func(v v1alpha1.OrderValidation) bool {
		return isOurs(v) && isOld(v)
	}); end.endsRun() {
		return end
	}
	status.Validations = slices.DeleteFunc(append(status.Validations, added(status.Validations, listed)...), isOld)
	if len(old) > 0 {
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeNormal, "ProofChanged", "Validate",
			"CAS order %s wants another validation %s than before: the old one was cleaned up, as far as it was this "+
				"controller's", status.OrderID, proofKind(run.order))
	}
	return proceed()
}

// Looks from time to time whether what was visible still is: CAS deletes records that it takes for conflicting ones
// (docs/design/cas.md §5.3), and so do people. A record that has vanished is presented again at once.
func (r *presenting) lookAfter(ctx context.Context, run *orderRun) {
	if r.pace.remaining(run.order.UID, activityLook, run.now) > 0 {
		return
	}
	for i := range run.order.Status.Validations {
		validation := &run.order.Status.Validations[i]
		if validation.VisibleAt == nil {
			continue
		}
		if r.look(ctx, run, validation); validation.VisibleAt == nil {
			validation.PresentedAt = nil
		}
	}
}

func (r *presenting) present(ctx context.Context, run *orderRun, validation *v1alpha1.OrderValidation) outcome {
	if validation.PresentedAt != nil && run.now.Sub(validation.PresentedAt.Time) < presentAgain {
		return proceed()
	}
	if err := access.CheckDomain(run.order, validation); err != nil {
		return presentFailed(err, run)
	}
	use := useFor(run, validation, r.Remote.Secrets)
	if err := r.Remote.MayRoute(use); err != nil {
		return presentFailed(err, run)
	}
	solver, err := r.Remote.Solver(use)
	if err != nil {
		return hold(holdLongest, v1alpha1.ReasonPresentFailed, fmt.Sprintf("the solver cannot be used: %v", err))
	}
	before := validation.RecordID
	record, err := solver.Present(ctx, access.ChallengeOf(validation), prior(validation),
		func(ctx context.Context, claimed dcv.Record) error {
			own(validation, claimed)
			return r.save(ctx, run)
		})
	r.learnOfZone(run, use, record, before, err)
	if err != nil {
		return presentFailed(err, run)
	}
	own(validation, record)
	validation.PresentedAt = run.timestamp()
	return proceed()
}

// handsOver is for whoever changes the issuer's solver: an AliyunOrder keeps the one that it was made with.
const handsOver = "delete the CertificateRequest: the next one goes on with this order, or has it given back"

// Says what a failed presentation leads to. Its error may be one of the API server, met while the claim was written, or
// one of the solver.
func presentFailed(err error, run *orderRun) outcome {
	if apiserver.IsError(err) {
		return apiError(err)
	}
	if rpc.IsThrottled(err) {
		return throttled(pollDelay(run.stateAge()))
	}
	reason, message := verdict.Explain(err)
	if reason == v1alpha1.ReasonCASUnavailable {
		reason = v1alpha1.ReasonPresentFailed
	}
	if _, isProblem := errors.AsType[*dcv.Problem](err); isProblem {
		message += ". After a change of the solver in the issuer, " + handsOver
	}
	return hold(holdFor(err, run.stateAge()), reason, message)
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

func own(validation *v1alpha1.OrderValidation, record dcv.Record) {
	validation.FQDN, validation.Zone, validation.RecordID = record.FQDN, record.Zone, record.ProviderID
	validation.Ownership = v1alpha1.RecordOurs
	if record.Foreign {
		validation.Ownership = v1alpha1.RecordForeign
	}
}

// Looks whether the record is visible. That is for people, and tells them whether waiting is all that is left to do:
// the CA looks for itself.
func (r *presenting) look(ctx context.Context, run *orderRun, validation *v1alpha1.OrderValidation) {
	seen, err := r.Remote.Check(ctx, useFor(run, validation, r.Remote.Secrets), recordOf(validation))
	if err != nil {
		run.note = fmt.Sprintf("whether it is visible could not be checked: %v", err)
		return
	}
	r.pace.next(run.order.UID, activityLook, run.now.Add(jitter(presentAgain)))
	validation.Seen = nil
	for _, other := range seen.Seen {
		validation.Seen = append(validation.Seen, apiserver.Bounded(other, 512))
	}
	switch {
	case !seen.Visible:
		validation.VisibleAt = nil
	case validation.VisibleAt == nil:
		validation.VisibleAt = run.timestamp()
		r.tellVisible(run.order, validation)
	}
}

// Tells that one of several validations is visible. Of a single one, the condition tells.
func (r *presenting) tellVisible(order *v1alpha1.AliyunOrder, validation *v1alpha1.OrderValidation) {
	if all := order.Status.Validations; len(all) > 1 {
		r.Recorder.Eventf(order, nil, corev1.EventTypeNormal, "ProofVisible", "Validate",
			"%s, for %q, is visible: of the validations of CAS order %s, %s are", proof(validation), validation.Domain,
			order.Status.OrderID, countVisible(all))
	}
}

// useOf is a solver at work for some of the order's names.
func useOf(run *orderRun, solver v1alpha1.Solver, names []string, secrets access.SecretReader) access.Use {
	return access.Use{Solver: solver, Reach: access.OfOrder(run.order), Secrets: secrets, Order: run.order,
		Names: names}
}

// useFor is the solver for a validation, at work for the name that the validation proves.
func useFor(run *orderRun, validation *v1alpha1.OrderValidation, secrets access.SecretReader) access.Use {
	use := useOf(run, orders.SolverOf(run.order, validation), []string{orders.NameOf(run.order, validation)}, secrets)
	use.Domain = validation.Domain
	return use
}
