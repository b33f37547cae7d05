// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// finalize ends orders: one that is deleted or has failed is given back, one that has ended is tidied up after. Both
// end within a bound, whatever Alibaba Cloud says, and tell what they had to leave behind.
func (r *OrderReconciler) finalize(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if id, ok := r.accepted.Load(run.order.UID); ok {
		if end := r.recordOrderID(ctx, run, id.(cas.OrderID)); end.kind != outcomeProceed {
			return end
		}
		status = &run.order.Status
	}
	isIssued := len(status.Certificate) > 0
	if status.HandedOverTo != "" {
		return r.handOver(ctx, run)
	}
	if run.order.DeletionTimestamp != nil && status.Release == nil && !isIssued {
		if left := r.heirTime(ctx, run); left > 0 {
			return rest(left)
		}
		run.beginRelease(v1alpha1.ReasonDeleted, "the AliyunOrder was deleted")
		if err := r.save(ctx, run); err != nil {
			return failed(err)
		}
		status = &run.order.Status
	}
	switch {
	case !isIssued && status.Release == nil:
		return proceed()
	case !isIssued && status.Release.Outcome == "":
		return r.release(ctx, run)
	default:
		return r.tidy(ctx, run)
	}
}

// heirTime is how long a deleted Order still waits for a request that replaces its own. A namespace that goes away will
// have none.
func (r *OrderReconciler) heirTime(ctx context.Context, run *orderRun) time.Duration {
	hasOrder := run.order.Status.OrderID != "" || run.order.Status.Submission != nil
	if !hasOrder || r.isTerminating(ctx, run.order.Namespace) {
		return 0
	}
	return run.order.DeletionTimestamp.Add(heirPatience).Sub(run.now)
}

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
	status, spec := &run.order.Status, run.order.Spec
	if status.OrderID == "" {
		if left := status.Submission.StartedAt.Add(inDoubt).Sub(run.now); left > 0 {
			return wait(left)
		}
	}
	if due := r.pace.remaining(run.order.UID, activityRelease, run.now); due > 0 {
		return rest(due)
	}
	calls, err := r.Remote.cas(spec.Region, spec.Endpoint, r.Remote.Secrets.LastKeys(run.secrets(), spec.Credentials))
	run.calls = calls
	var doubt string
	switch {
	case err != nil:
	case status.OrderID == "":
		doubt, err = r.resolve(ctx, run, calls)
	case status.IsPresumed() && spec.Account != v1alpha1.AccountExclusive:
		return r.giveUp(ctx, run, "its id is not from the answer of CAS, and it may be somebody else's")
	default:
		status.Release.Outcome, err = withdraw(ctx, calls, run)
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

// resolve looks for the order of a submission whose answer was lost. Only in an account that nobody else uses is a
// match enough to withdraw it.
func (r *OrderReconciler) resolve(ctx context.Context, run *orderRun, calls *cas.Client) (doubt string, err error) {
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

// withdraw makes the next step that the order's state allows: cancel, wait for payed, delete (CAS contract §3.1). It
// returns "" while there is one more to make.
func withdraw(ctx context.Context, calls *cas.Client, run *orderRun) (v1alpha1.ReleaseOutcome, error) {
	id := cas.OrderID(run.order.Status.OrderID)
	described, err := calls.Describe(ctx, id)
	if cas.IsNotFound(err) {
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
func goneOutcome(run *orderRun) v1alpha1.ReleaseOutcome {
	switch cas.State(run.order.Status.CASState) {
	case cas.StatePayed, cas.StateVerifyFail:
		return v1alpha1.Released
	default:
		return v1alpha1.NothingToRelease
	}
}

// bound is how long a release may take: a namespace that is going away cannot wait as long.
func (r *OrderReconciler) bound(ctx context.Context, namespace string) time.Duration {
	if r.isTerminating(ctx, namespace) {
		return namespaceBound
	}
	return releaseBound
}

func (r *OrderReconciler) isTerminating(ctx context.Context, namespace string) bool {
	ns := &corev1.Namespace{}
	err := r.APIReader.Get(ctx, types.NamespacedName{Name: namespace}, ns)
	return err == nil && ns.DeletionTimestamp != nil
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

// tidy waits until the request knows that its order has ended: an Order that goes before would be made, and bought,
// again. Then it removes the validation record, and lets go of the Order.
func (r *OrderReconciler) tidy(ctx context.Context, run *orderRun) outcome {
	if !controllerutil.ContainsFinalizer(run.order, v1alpha1.OrderFinalizer) {
		return rest(0)
	}
	request, err := r.requestOf(ctx, r.APIReader, run.order)
	if err != nil {
		return failed(err)
	}
	if request != nil && !isFinished(request) {
		return rest(holdFirst) // the end of the request wakes this order earlier
	}
	if end := r.cleanUp(ctx, run); end.kind != outcomeProceed {
		return end
	}
	return r.letGo(ctx, run)
}

// letGo removes the finalizer: nothing is left that only this Order knows.
func (r *OrderReconciler) letGo(ctx context.Context, run *orderRun) outcome {
	next := run.stored.DeepCopy()
	controllerutil.RemoveFinalizer(next, v1alpha1.OrderFinalizer)
	if err := r.Patch(ctx, next, client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return failed(err)
	}
	r.pace.forget(run.order.UID)
	return rest(0)
}

// cleanUp removes the validation record, if it is ours.
func (r *OrderReconciler) cleanUp(ctx context.Context, run *orderRun) outcome {
	validation := run.order.Status.Validation
	if validation == nil || validation.Ownership != v1alpha1.RecordOurs || validation.CleanedUpAt != nil {
		return proceed()
	}
	if due := r.pace.remaining(run.order.UID, activityRelease, run.now); due > 0 {
		return rest(due)
	}
	solver, err := r.Remote.solver(run.order.Spec.Solver, r.Remote.Secrets.LastKeys(run.secrets(), run.order.Spec.Credentials))
	if err == nil {
		err = solver.CleanUp(ctx, recordOf(validation))
	}
	age, bound := run.endedAge(), r.bound(ctx, run.order.Namespace)
	switch {
	case err == nil:
		validation.CleanedUpAt = run.timestamp()
		if err := r.save(ctx, run); err != nil {
			return failed(err)
		}
		return proceed()
	case age >= bound:
		log.FromContext(ctx).Info("a validation record could not be removed", "record", validation.FQDN, "zone", validation.Zone)
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "CleanUpFailed", "CleanUp",
			"the %s record %q in zone %q could not be removed, remove it by hand: %v", validation.RecordType, validation.FQDN, validation.Zone, err)
		return proceed()
	}
	delay := releaseDelay(age, bound)
	r.pace.next(run.order.UID, activityRelease, run.now.Add(delay))
	return rest(delay)
}

// endedAge is how long ago the order ended.
func (run *orderRun) endedAge() time.Duration {
	if release := run.order.Status.Release; release != nil {
		return run.now.Sub(release.StartedAt.Time)
	}
	if issued := meta.FindStatusCondition(run.order.Status.Conditions, v1alpha1.ConditionIssued); issued != nil {
		return run.now.Sub(issued.LastTransitionTime.Time)
	}
	return 0
}

// isFinished says that cert-manager will not let the request change any more.
func isFinished(request *cmapi.CertificateRequest) bool {
	switch cmutil.CertificateRequestReadyReason(request) {
	case cmapi.CertificateRequestReasonIssued, cmapi.CertificateRequestReasonFailed, cmapi.CertificateRequestReasonDenied:
		return true
	default:
		return false
	}
}
