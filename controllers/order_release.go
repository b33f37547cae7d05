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
	status, uid := run.order.Status, run.order.UID
	if left := run.answerMayCome(); left > 0 {
		return wait(left)
	}
	if due := r.pace.remaining(uid, activityRelease, run.now); due > 0 {
		return rest(due)
	}
	if end := r.onlyOwn(ctx, run); end.kind != outcomeProceed {
		return end
	}
	if status.IsPresumed() && run.order.Spec.Account != v1alpha1.AccountExclusive {
		return r.giveUp(ctx, run, "its id is not from the answer of CAS, and it may be somebody else's")
	}
	cause, err := r.tryRelease(ctx, run)
	if isAPIError(err) {
		return failed(err)
	}
	switch release := run.order.Status.Release; {
	case release == nil:
		r.efforts.end(uid, activityRelease)
		return wait(soon)
	case release.Outcome != "":
		log.FromContext(ctx).Info("withdrawn", "orderID", run.order.Status.OrderID, "outcome", release.Outcome)
		return r.ended(ctx, run)
	}
	isTerminating := r.isTerminating(ctx, run.order.Namespace)
	if err != nil {
		_, run.note = explain(err)
		cause = fmt.Sprintf("CAS did not give it back in time (%v)", err)
	}
	if gone := lost(run.order, err, isTerminating); gone != "" {
		cause, run.note = gone, gone
	}
	made := r.efforts.tried(uid, activityRelease, effortBound(isTerminating), run.now, err)
	if !isThrottle(err) && made.isSpent(run.now) {
		return r.giveUp(ctx, run, cause)
	}
	delay := run.nextTry(made, err)
	r.pace.next(uid, activityRelease, run.now.Add(delay))
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

// tryRelease makes the next step. While the order is not given back, cause or err says why.
func (r *OrderReconciler) tryRelease(ctx context.Context, run *orderRun) (cause string, err error) {
	calls, err := r.Remote.cas(reachOfOrder(run.order), credentials.Last{Store: r.Remote.Secrets})
	if err != nil {
		return "", err
	}
	run.calls = calls
	if run.order.Status.OrderID == "" {
		return r.resolve(ctx, run, calls)
	}
	outcome, cause, err := r.giveBack(ctx, calls, run)
	if run.order.Status.Release != nil {
		run.order.Status.Release.Outcome = outcome
	}
	return cause, err
}

// lost says that the credentials went with the namespace, or "": nobody can put them back there, as any other message asks.
func lost(order *v1alpha1.AliyunOrder, err error, isTerminating bool) string {
	problem, isProblem := errors.AsType[*credentials.Problem](err)
	isMissing := isProblem && (problem.Reason == v1alpha1.ReasonSecretNotFound || problem.Reason == v1alpha1.ReasonServiceAccountNotFound)
	if !isMissing || !isTerminating || order.Spec.SecretNamespace != order.Namespace {
		return ""
	}
	return fmt.Sprintf("the credentials of its issuer were deleted with the namespace %q, and nobody can create them there any more", order.Namespace)
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
	if run.described == nil || run.described.State != cas.StateCertificate {
		return wait(soon)
	}
	switch isWanted, err := r.isWanted(ctx, run); {
	case err != nil:
		return failed(err)
	case !isWanted:
		return wait(soon)
	}
	run.order.Status.Release = nil
	return r.issue(ctx, run)
}

// isWanted says that the request of an order that ends still waits for a certificate.
func (r *OrderReconciler) isWanted(ctx context.Context, run *orderRun) (bool, error) {
	if run.order.DeletionTimestamp != nil {
		return false, nil
	}
	request, err := r.requestOf(ctx, r.APIReader, run.order)
	return request != nil && wanted(run.order, request).kind == outcomeProceed, err
}

// giveBack makes the next step that the order's state allows: cancel, wait for payed, delete (CAS contract §3.1). It
// returns no outcome while there is one more to make, and why.
func (r *OrderReconciler) giveBack(ctx context.Context, calls *cas.Client, run *orderRun) (outcome v1alpha1.ReleaseOutcome, cause string, err error) {
	id := cas.OrderID(run.order.Status.OrderID)
	described, err := calls.Describe(ctx, id)
	if cas.IsNotFound(err) {
		if err := r.inOtherAccount(ctx, run, credentials.Last{Store: r.Remote.Secrets}); err != nil {
			return "", "", err
		}
		return r.goneOutcome(run), "CAS does not know it", nil
	}
	if err != nil {
		return "", "", err
	}
	r.efforts.end(run.order.UID, activityGone)
	run.described = described
	run.takeDown(described)
	switch described.State {
	case cas.StateCertificate:
		// One look is enough: what is issued stays paid for, whatever is said of it later.
		return v1alpha1.NothingToRelease, "", nil
	case cas.StatePayed, cas.StateVerifyFail:
		// One look is enough here, too: CAS refuses to delete what is under way, and the next look cancels that.
		end, err := r.beginReturn(ctx, run.order)
		if err != nil {
			return "", "", err
		}
		defer end()
		if err := calls.Delete(ctx, id); err != nil {
			return "", "", err
		}
		return v1alpha1.Released, "", nil
	case cas.StateDomainVerify, cas.StateProcess:
		if isAlive, err := r.isAlive(ctx, run); isAlive || err != nil {
			return "", "", err
		}
		return "", "CAS has not carried out yet that it is cancelled", calls.Cancel(ctx, id)
	default:
		return "", fmt.Sprintf("CAS gives its state as %q", described.State), nil
	}
}

// isAlive ends a release that began because CAS said that the order had come to its end, now that CAS works on it after
// all: the belief was wrong, and a certificate that is still wanted would be thrown away for it.
func (r *OrderReconciler) isAlive(ctx context.Context, run *orderRun) (bool, error) {
	reason := run.order.Status.Release.Reason
	if reason != v1alpha1.ReasonWithdrawn && reason != v1alpha1.ReasonVerificationFailed {
		return false, nil
	}
	isWanted, err := r.isWanted(ctx, run)
	if isWanted {
		run.order.Status.Release = nil
	}
	return isWanted, err
}

// goneOutcome tells an order that a delete of ours removed, whose reply was lost, from one that somebody else removed.
// It is "" while neither is certain: CAS may know a young order only later, so it takes several looks.
func (r *OrderReconciler) goneOutcome(run *orderRun) v1alpha1.ReleaseOutcome {
	state := cas.State(run.order.Status.CASState)
	switch {
	case state == cas.StatePayed, state == cas.StateVerifyFail:
		return v1alpha1.Released
	case r.efforts.tried(run.order.UID, activityGone, goneAfter, run.now, nil).isSpent(run.now):
		return v1alpha1.NothingToRelease
	default:
		return ""
	}
}

// giveUp reports what could not be given back where somebody may read it: in the status, in an event, and in the log,
// since a namespace that is going away takes no events. It is an error, for the money is lost if nobody acts.
func (r *OrderReconciler) giveUp(ctx context.Context, run *orderRun, cause string) outcome {
	run.order.Status.Release.Outcome = v1alpha1.Unresolved
	message := unresolved(run.order)
	log.FromContext(ctx).Error(errors.New(cause), "an order could not be given back: if there is one, cancel and delete it in the console of CAS",
		"orderID", run.order.Status.OrderID, "commonName", run.order.Spec.CommonName, "account", run.order.Status.AccountID)
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "ReleaseUnresolved", "Release", "%s (%s)", message, bounded(cause, 600))
	return wait(soon)
}
