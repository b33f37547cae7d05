// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// beginRelease decides that the order ends. What was never submitted has nothing to give back.
func (run *orderRun) beginRelease(reason, message string) {
	status := &run.order.Status
	status.Release = &v1alpha1.OrderRelease{Reason: reason, Message: bounded(message, 1024), StartedAt: *run.timestamp()}
	switch {
	case status.OrderID == "" && status.Submission == nil:
		status.Release.Outcome = v1alpha1.NothingToRelease
	case reason == v1alpha1.ReasonDeleted && run.order.Spec.OnDelete == v1alpha1.DeleteKeeps:
		status.Release.Outcome = v1alpha1.Kept
	}
}

// release gives the order back to CAS, a step in each run.
func (r *OrderReconciler) release(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if status.OrderID == "" {
		if left := status.Submission.StartedAt.Add(inDoubt).Sub(run.now); left > 0 {
			return wait(left)
		}
	}
	if due := r.pace.remaining(run.order.UID, activityRelease, run.now); due > 0 {
		return rest(due)
	}
	if end := r.onlyOwn(ctx, run); end.kind != outcomeProceed {
		return end
	}
	calls, err := r.Remote.cas(reachOfOrder(run.order), credentials.Last{Store: r.Remote.Secrets})
	run.calls = calls
	var doubt string
	switch {
	case err != nil:
	case status.OrderID == "":
		doubt, err = r.resolve(ctx, run, calls)
	case status.IsPresumed() && run.order.Spec.Account != v1alpha1.AccountExclusive:
		return r.giveUp(ctx, run, "its id is not from the answer of CAS, and it may be somebody else's")
	default:
		status.Release.Outcome, err = r.giveBack(ctx, calls, run)
	}
	if isAPIError(err) {
		return failed(err)
	}
	if status.Release.Outcome != "" {
		log.FromContext(ctx).Info("withdrawn", "orderID", status.OrderID, "outcome", status.Release.Outcome)
		return r.ended(ctx, run)
	}
	age, bound := run.now.Sub(status.Release.StartedAt.Time), r.bound(ctx, run.order.Namespace)
	if age >= bound {
		if err != nil {
			doubt = fmt.Sprintf("CAS did not give it back in time (%v)", err)
		}
		return r.giveUp(ctx, run, doubt)
	}
	if err != nil {
		_, run.note = explain(err)
	}
	delay := releaseDelay(age, bound)
	r.pace.next(run.order.UID, activityRelease, run.now.Add(delay))
	return wait(delay)
}

// onlyOwn keeps an order at CAS from being given back that is another AliyunOrder's.
func (r *OrderReconciler) onlyOwn(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if status.OrderID == "" {
		return proceed()
	}
	end := r.soleHolder(ctx, run)
	if status.OrderID == "" && status.Submission == nil {
		status.Release.Outcome = v1alpha1.NothingToRelease
	}
	return end
}

// resolve looks for the order of a submission whose answer was lost. Only in an account that nobody else uses is a
// match enough to withdraw it.
func (r *OrderReconciler) resolve(ctx context.Context, run *orderRun, calls *cas.Client) (doubt string, err error) {
	if err := r.inOtherAccount(ctx, run, credentials.Last{Store: r.Remote.Secrets}); err != nil {
		return "", err
	}
	release, isFree := r.book.claim(accountOfOrder(run.order), run.order.Spec.BaseName)
	if !isFree {
		return "somebody else is looking for an order for the same name", nil
	}
	defer release()
	started := run.order.Status.Submission.StartedAt
	found, err := r.find(ctx, run, calls, started.Time, started.Add(signatureLife))
	switch {
	case err != nil:
		return "", err
	case len(found.candidates) == 0:
		return "no order for that name is in the listings of CAS", nil
	case found.match == "" || run.order.Spec.Account != v1alpha1.AccountExclusive:
		return "it may be one of these: " + found.ids(), nil
	}
	return "it was found just now", r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		status.OrderID, status.OrderIDBasis, status.SubmittedAt = string(found.match), v1alpha1.OrderIDByListing, run.timestamp()
		return nil
	})
}

// ended is where an order that was to be given back has come to its end. If the CA was faster, and the request still
// waits, the certificate is what it gets.
func (r *OrderReconciler) ended(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if run.described == nil || run.described.State != cas.StateCertificate || run.order.DeletionTimestamp != nil {
		return wait(soon)
	}
	request, err := r.requestOf(ctx, r.APIReader, run.order)
	if err != nil {
		return failed(err)
	}
	if request == nil || wanted(run.order, request).kind != outcomeProceed {
		return wait(soon)
	}
	status.Release = nil
	return r.issue(ctx, run)
}

// giveBack makes the next step that the order's state allows: cancel, wait for payed, delete (CAS contract §3.1). It
// returns "" while there is one more to make.
func (r *OrderReconciler) giveBack(ctx context.Context, calls *cas.Client, run *orderRun) (v1alpha1.ReleaseOutcome, error) {
	id := cas.OrderID(run.order.Status.OrderID)
	described, err := calls.Describe(ctx, id)
	if cas.IsNotFound(err) {
		if err := r.inOtherAccount(ctx, run, credentials.Last{Store: r.Remote.Secrets}); err != nil {
			return "", err
		}
		return goneOutcome(run), nil
	}
	if err != nil {
		return "", err
	}
	run.described = described
	run.takeDown(described)
	switch described.State {
	case cas.StateCertificate:
		return v1alpha1.NothingToRelease, nil
	case cas.StatePayed, cas.StateVerifyFail:
		end, err := r.beginReturn(ctx, run.order)
		if err != nil {
			return "", err
		}
		defer end()
		if err := calls.Delete(ctx, id); err != nil {
			return "", err
		}
		return v1alpha1.Released, nil
	case cas.StateDomainVerify, cas.StateProcess:
		return "", calls.Cancel(ctx, id)
	default:
		return "", nil
	}
}

// goneOutcome tells an order that a delete of ours removed, whose reply was lost, from one that somebody else removed.
// It is "" while neither is certain.
func goneOutcome(run *orderRun) v1alpha1.ReleaseOutcome {
	state := cas.State(run.order.Status.CASState)
	switch {
	case state == cas.StatePayed, state == cas.StateVerifyFail:
		return v1alpha1.Released
	case run.now.Sub(run.order.Status.Release.StartedAt.Time) < goneAfter:
		return ""
	default:
		return v1alpha1.NothingToRelease
	}
}

// giveUp reports what could not be given back where somebody may read it: in the status, in an event, and in the log,
// since a namespace that is going away takes no events.
func (r *OrderReconciler) giveUp(ctx context.Context, run *orderRun, cause string) outcome {
	run.order.Status.Release.Outcome = v1alpha1.Unresolved
	message := unresolved(run.order)
	log.FromContext(ctx).Info("an order could not be given back", "orderID", run.order.Status.OrderID,
		"commonName", run.order.Spec.CommonName, "cause", cause)
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "ReleaseUnresolved", "Release", "%s (%s)", message, bounded(cause, 600))
	return wait(soon)
}
