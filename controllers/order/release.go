// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// releasing gives orders back.
type releasing struct {
	*kube
	*outside
	*holding
	*issuing

	pace    *pace
	efforts *efforts
	claims  *book.Claims
	// clusterResourceNamespace is where the Secrets of cluster issuers are. isListed says that the installation serves
	// listed namespaces, and so no cluster issuers.
	clusterResourceNamespace string
	isListed                 bool
}

// Decides that the order ends. An order that was never submitted has nothing to give back.
func (run *orderRun) beginRelease(reason, message string) {
	status := &run.order.Status
	status.Release = &v1alpha1.OrderRelease{Reason: reason, Message: apiserver.Bounded(message, 1024),
		StartedAt: *run.timestamp()}
	switch {
	case !book.MayHaveOrder(run.order):
		status.Release.Outcome = v1alpha1.NothingToRelease
	case reason == v1alpha1.ReasonDeleted && run.order.Spec.OnDelete == v1alpha1.DeleteKeeps:
		status.Release.Outcome = v1alpha1.Kept
	}
}

// release gives the order back to CAS, a step in each run.
func (r *releasing) release(ctx context.Context, run *orderRun) outcome {
	status, uid := run.order.Status, run.order.UID
	if left := run.answerMayCome(); left > 0 {
		return wait(left)
	}
	if due := r.pace.remaining(uid, activityRelease, run.now); due > 0 {
		return notYet(due)
	}
	if end := r.onlyOwn(ctx, run); end.endsRun() {
		return end
	}
	if status.IsPresumed() && run.order.Spec.Account != v1alpha1.AccountExclusive {
		return r.leaveUnresolved(ctx, run, "its id is not from the answer of CAS, and it may be somebody else's")
	}
	cause, gone, err := r.tryEither(ctx, run)
	if apiserver.IsError(err) {
		return apiError(err)
	}
	switch release := run.order.Status.Release; {
	case release == nil:
		r.efforts.end(uid, activityRelease)
		return wait(soon)
	case release.Outcome != "":
		log.FromContext(ctx).Info("withdrawn", "orderID", run.order.Status.OrderID, "outcome", release.Outcome)
		return r.afterRelease(ctx, run)
	}
	if err != nil {
		_, run.note = verdict.Explain(err)
		cause = fmt.Sprintf("CAS did not give it back in time (%v)", err)
	}
	if gone != "" {
		cause, run.note = gone, gone
	}
	bound := effortBound(max(releaseBound, run.offer.Withdrawal()), r.isTerminating(ctx, run.order.Namespace))
	made := r.efforts.tried(uid, activityRelease, bound, run.now, err)
	if !isThrottle(err) && made.isSpent(run.now) {
		return r.leaveUnresolved(ctx, run, cause)
	}
	delay := run.nextTry(made, err)
	r.pace.next(uid, activityRelease, run.now.Add(delay))
	return wait(delay)
}

// Makes sure that no order at CAS is given back that belongs to another AliyunOrder.
func (r *releasing) onlyOwn(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if status.OrderID == "" {
		return proceed()
	}
	end := r.soleHolder(ctx, run)
	if !book.MayHaveOrder(run.order) {
		status.Release.Outcome = v1alpha1.NothingToRelease
	}
	return end
}

// Makes the next step with the credentials of by. While the order is not given back, cause or err says why.
func (r *releasing) tryRelease(ctx context.Context, run *orderRun, by access.Reach) (cause string, err error) {
	if run.session, err = r.openBy(run, by, credentials.Last{Store: r.Remote.Secrets}); err != nil {
		return "", err
	}
	if run.order.Status.OrderID == "" {
		return r.resolve(ctx, run)
	}
	outcome, cause, err := r.giveBack(ctx, by, run)
	if run.order.Status.Release != nil {
		run.order.Status.Release.Outcome = outcome
	}
	return cause, err
}

// Returns a message if the credentials went with the namespace, or "". Any other message asks to create them there,
// which nobody can while the namespace is being deleted.
func (r *kube) lost(ctx context.Context, order *v1alpha1.AliyunOrder, err error) string {
	problem, isProblem := errors.AsType[*credentials.Problem](err)
	isMissing := isProblem &&
		(problem.Reason == v1alpha1.ReasonSecretNotFound || problem.Reason == v1alpha1.ReasonServiceAccountNotFound)
	if !isMissing || order.Spec.SecretNamespace != order.Namespace || !r.isTerminating(ctx, order.Namespace) {
		return ""
	}
	return fmt.Sprintf("the credentials of its issuer were deleted with the namespace %q, and nobody can create "+
		"them there any more", order.Namespace)
}

// resolve looks for the order of a submission whose answer was lost, to give it back.
func (r *releasing) resolve(ctx context.Context, run *orderRun) (doubt string, err error) {
	if err := r.inOtherAccount(ctx, run, access.OfOrder(run.order),
		credentials.Last{Store: r.Remote.Secrets}); err != nil {
		return "", err
	}
	release, isFree := r.claims.Take(book.AccountOfOrder(run.order), run.order.Spec.BaseName)
	if !isFree {
		return "somebody else is looking for an order for the same name", nil
	}
	defer release()
	found, err := run.session.Trace(ctx)
	switch {
	case err != nil:
		return "", err
	case found.Answer == source.NothingBought:
		run.order.Status.Release.Outcome = v1alpha1.NothingToRelease
		return "", nil
	case found.Answer != source.Bought:
		return found.Message, nil
	}
	return "it was found just now", r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		status.OrderID, status.OrderIDBasis, status.SubmittedAt = found.OrderID, found.Basis, run.timestamp()
		return nil
	})
}

// Ends the run of an order whose release has an outcome. If the CA has issued it meanwhile, and the request still
// waits, the request gets the certificate.
func (r *releasing) afterRelease(ctx context.Context, run *orderRun) outcome {
	if run.seen == nil || run.seen.Phase != v1alpha1.PhaseIssued {
		return wait(soon)
	}
	switch isWanted, err := r.isWanted(ctx, run); {
	case err != nil:
		return apiError(err)
	case !isWanted:
		return wait(soon)
	}
	run.order.Status.Release = nil
	return r.issue(ctx, run)
}

// Says whether the request of an order that ends still waits for a certificate.
func (r *releasing) isWanted(ctx context.Context, run *orderRun) (bool, error) {
	if run.order.DeletionTimestamp != nil {
		return false, nil
	}
	request, err := r.requestOf(ctx, r.APIReader, run.order)
	run.request = request
	return request != nil && !wanted(run.order, request).endsRun(), err
}

// Reports an order that could not be given back: in the status, in an event, and in the log, since a namespace that is
// going away takes no events. Logs an error, for the money is lost if nobody acts.
func (r *releasing) leaveUnresolved(ctx context.Context, run *orderRun, cause string) outcome {
	run.order.Status.Release.Outcome = v1alpha1.Unresolved
	countUnresolved(run.order)
	message := unresolved(run.order, run.offer)
	log.FromContext(ctx).Error(errors.New(cause), "an order could not be given back: if there is one, cancel and "+
		"delete it in the console of CAS",
		"orderID", run.order.Status.OrderID, "commonName", run.order.Spec.CommonName, "account",
		run.order.Status.AccountID)
	r.Recorder.Eventf(r.reader(ctx, run.order), nil, corev1.EventTypeWarning, "ReleaseUnresolved", "Release", "%s (%s)",
		message, apiserver.Bounded(cause, 600))
	return wait(soon)
}

// Returns the object at which people find an event about money: the Order; or its Namespace if that is being deleted,
// because the API server takes no more events there, and keeps those of a Namespace elsewhere.
func (r *kube) reader(ctx context.Context, order *v1alpha1.AliyunOrder) client.Object {
	if namespace := r.namespace(ctx, order.Namespace); namespace != nil && namespace.DeletionTimestamp != nil {
		return namespace
	}
	return order
}
