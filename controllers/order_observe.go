// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// observe asks CAS for the order, once in a run and not before it is due, and takes down what it says.
func (r *OrderReconciler) observe(ctx context.Context, run *orderRun) outcome {
	if due := r.pace.remaining(run.order.UID, activityObserve, run.now); due > 0 {
		return rest(due)
	}
	if run.order.Status.IsPresumed() {
		if end := r.soleHolder(ctx, run); end.kind != outcomeProceed {
			return end
		}
	}
	delay := pollDelay(run.casStateAge())
	r.pace.next(run.order.UID, activityObserve, run.now.Add(delay))
	var described *cas.Order
	calls, err := r.Remote.cas(reachOfOrder(run.order), r.Remote.Secrets)
	if err == nil {
		described, err = calls.Describe(ctx, cas.OrderID(run.order.Status.OrderID))
	}
	if cas.IsNotFound(err) {
		if err = r.inOtherAccount(ctx, run, r.Remote.Secrets); err == nil {
			return r.missing(run)
		}
	}
	if err != nil {
		end := judge(err, run.stateAge())
		r.pace.next(run.order.UID, activityObserve, run.now.Add(end.after))
		return end
	}
	run.calls, run.described = calls, described
	run.order.Status.Missing = nil
	run.takeDown(described)
	if end := read(run, delay); end.kind == outcomeFail || described.State == cas.StateCertificate {
		return end
	}
	if end := overdue(run); end.kind != outcomeProceed {
		return end
	}
	return read(run, delay)
}

// missing believes that an order is gone once CAS has not known it for an hour: a new order may be unknown for a
// while, and so is one of another account.
func (r *OrderReconciler) missing(run *orderRun) outcome {
	status := &run.order.Status
	if status.Missing == nil {
		status.Missing = &v1alpha1.OrderMissing{Since: *run.timestamp()}
	}
	status.Missing.Count++
	if age := run.now.Sub(status.Missing.Since.Time); age >= vanishedAfter && status.Missing.Count >= vanishedTimes {
		return fail(v1alpha1.ReasonOrderVanished, fmt.Sprintf(
			"CAS has not known order %s for %q since %s: somebody has deleted it, or the credentials are of another account now: in that case, put those of the account that made it into the Secret",
			status.OrderID, run.order.Spec.CommonName, status.Missing.Since.UTC().Format(time.RFC3339)))
	}
	pause := vanishedAfter / (vanishedTimes - 1)
	r.pace.next(run.order.UID, activityObserve, run.now.Add(pause))
	return stall(pause, v1alpha1.ReasonOrderNotFound, fmt.Sprintf(
		"CAS does not know order %s: check that the credentials are of the account that made it. If CAS does not know it for an hour, the request fails", status.OrderID))
}

// overdue ends an order whose phase has taken too long.
func overdue(run *orderRun) outcome {
	end, waitsFor := deadline(run)
	if end.IsZero() || run.now.Before(end) {
		return proceed()
	}
	return fail(v1alpha1.ReasonDeadlineExceeded, fmt.Sprintf(
		"CAS order %s for %q still waited for %s at its deadline, %s. %s", run.order.Status.OrderID, run.order.Spec.CommonName, waitsFor, end.UTC().Format(time.RFC3339), remedy(run)))
}

// remedy is what helps the next order to be in time.
func remedy(run *orderRun) string {
	validation := run.order.Status.Validation
	switch {
	case cas.State(run.order.Status.CASState) != cas.StateDomainVerify:
		return "Ask the support of Alibaba Cloud what the CA waits for"
	case validation == nil:
		return "CAS never named its validation record: ask the support of Alibaba Cloud about the order"
	case isNone(run.order.Spec.Solver):
		return "CAS does not take its domain for pre-authorised: see to that at CAS, or use a solver that publishes the validation record"
	case validation.VisibleAt != nil:
		return "Its validation record could be seen in DNS: ask the support of Alibaba Cloud why the CA did not"
	default:
		return "Its validation record could not be seen in DNS: publish that of the next order, or give it more time in spec.orders.timeout of the issuer"
	}
}

// deadline is when the present phase of an order at CAS ends, and what it waits for. Zero: it has no end of its own.
func deadline(run *orderRun) (end time.Time, waitsFor string) {
	status := run.order.Status
	switch cas.State(status.CASState) {
	case cas.StateCertificate:
		return time.Time{}, ""
	case cas.StateDomainVerify, "":
		if status.SubmittedAt == nil {
			return time.Time{}, ""
		}
		timeout := defaultTimeout
		if run.order.Spec.Timeout != nil {
			timeout = run.order.Spec.Timeout.Duration
		}
		return status.SubmittedAt.Add(timeout), "the validation of its domain"
	default:
		return status.CASStateSince.Add(reviewTimeout), "the CA"
	}
}

// read says what a state of CAS means (CAS contract §2). One that ends the order is believed on a later look only, since
// what is withdrawn then cannot be had back: CAS may tell payed, which every order is at first, of one that it has begun to
// work on, or contradict itself. An order that CAS does not know has a patience of its own; see missing. A certificate needs
// no second look: it is there.
func read(run *orderRun, delay time.Duration) outcome {
	order := run.order
	switch state := run.described.State; {
	case state == cas.StateDomainVerify, state == cas.StateCertificate:
		return proceed()
	case hasEnded(state) && run.casStateAge() < endedAfter:
		return wait(min(delay, endedAfter))
	case state == cas.StateVerifyFail:
		return fail(v1alpha1.ReasonVerificationFailed, fmt.Sprintf(
			"the CA refused CAS order %s for %q; CAS does not say why. Look at the order in the console of CAS, at CAA records of the domain, and at the validation record",
			order.Status.OrderID, order.Spec.CommonName))
	case state == cas.StatePayed:
		return fail(v1alpha1.ReasonWithdrawn, fmt.Sprintf(
			"CAS order %s for %q was withdrawn at CAS by somebody else", order.Status.OrderID, order.Spec.CommonName))
	default:
		return wait(delay)
	}
}

// hasEnded says that an order in the state will never be issued.
func hasEnded(state cas.State) bool { return state == cas.StatePayed || state == cas.StateVerifyFail }

func (run *orderRun) takeDown(described *cas.Order) {
	status := &run.order.Status
	if state := string(described.State); status.CASState != state {
		status.CASState, status.CASStateSince = bounded(state, 64), run.timestamp()
	}
	if described.CertID != "" {
		status.CertificateID = bounded(described.CertID, 64)
	}
	if status.Validation == nil {
		status.Validation = wantedProof(run.order, described)
	}
}

// wantedProof is what CAS wants to see published, or nil as long as it has not said so.
func wantedProof(order *v1alpha1.AliyunOrder, described *cas.Order) *v1alpha1.OrderValidation {
	domain := strings.TrimPrefix(order.Spec.CommonName, "*.") // a wildcard is validated at its base
	record, file := described.Record, described.File
	switch {
	case isFile(order.Spec.Solver) && file != nil:
		if file.Domain != "" {
			domain = file.Domain
		}
		return &v1alpha1.OrderValidation{
			Domain:      bounded(dcv.CanonicalName(domain), 253),
			RecordName:  bounded(file.URI, 255),
			RecordType:  dcv.TypeFile,
			RecordValue: bounded(file.Content, 1024),
		}
	case !isFile(order.Spec.Solver) && record != nil:
		return &v1alpha1.OrderValidation{
			Domain:      domain,
			RecordName:  bounded(record.Domain, 255),
			RecordType:  bounded(record.Type, 16),
			RecordValue: bounded(record.Value, 1024),
		}
	default:
		return nil
	}
}

// bounded cuts what CAS says to what the API server takes: a status that is refused would stop the order. A character
// that is cut in half goes too: the API server would store another text, and each run would write it anew.
func bounded(s string, limit int) string { return strings.ToValidUTF8(s[:min(len(s), limit)], "") }

// casStateAge is how long CAS has said the same.
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
