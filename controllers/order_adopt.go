// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

const (
	// DefaultSettle is how long after a submission without an answer nothing is bought again. A signed call can be
	// executed for 15 minutes, and MinSettle leaves no doubt about that.
	DefaultSettle = 20 * time.Minute
	MinSettle     = 16 * time.Minute
	// maxAttempts is how often an order is submitted, unless a person says that more is right.
	maxAttempts = 2
	// listingGap is how far the two listings are apart that must both be without the order.
	listingGap = time.Minute
)

// adopt settles what became of a submission whose answer was lost. To take an order over, all evidence must agree; to
// submit again, all must disagree; anything between is held until a person decides.
func (r *OrderReconciler) adopt(ctx context.Context, run *orderRun) outcome {
	submission := run.order.Status.Submission
	if left := submission.StartedAt.Add(inDoubt).Sub(run.now); left > 0 {
		return wait(left)
	}
	if due := r.pace.remaining(run.order.UID, activityAdopt, run.now); due > 0 && run.order.Annotations[v1alpha1.OrderIDAnnotation] == "" {
		return rest(due)
	}
	end := r.settleDoubt(ctx, run)
	if end.after > 0 {
		r.pace.next(run.order.UID, activityAdopt, run.now.Add(end.after))
	}
	return end
}

func (r *OrderReconciler) settleDoubt(ctx context.Context, run *orderRun) outcome {
	submission := run.order.Status.Submission
	calls, err := r.Remote.cas(reachOfOrder(run.order), r.Remote.Secrets)
	if err == nil {
		err = r.inOtherAccount(ctx, run, r.Remote.Secrets)
	}
	if err != nil {
		return judge(err, run.stateAge())
	}
	found, err := r.find(ctx, run, calls, submission.StartedAt.Time, submission.StartedAt.Add(signatureLife))
	if isAPIError(err) {
		return failed(err)
	}
	if err != nil {
		return judge(err, run.stateAge())
	}
	switch word := run.order.Annotations[v1alpha1.OrderIDAnnotation]; {
	case word != "" && word != v1alpha1.NoOrder:
		return r.take(ctx, run, word)
	case word == "" && found.match != "":
		return r.presume(ctx, run, string(found.match), v1alpha1.OrderIDByListing)
	case word == "" && len(found.candidates) > 0:
		submission.EmptyListingAt = nil
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order, "CAS has more than one order, or one that differs, for that name: "+found.ids()))
	}
	if left := r.unsettled(run, found.date); left > 0 {
		return wait(min(max(left, time.Second), holdLongest))
	}
	return r.submitAgain(ctx, run, calls)
}

// unsettled is how long the submission may still be executed, by the clock of CAS, which is the one that counts. Where
// CAS does not tell the time, only what this process has seen pass is certain.
func (r *OrderReconciler) unsettled(run *orderRun, date time.Time) time.Duration {
	settle := max(r.Settle, MinSettle)
	if !date.IsZero() {
		return run.order.Status.Submission.StartedAt.Add(settle).Sub(date)
	}
	startedAt := run.order.Status.Submission.StartedAt.UTC()
	first, ok := r.firstSeen.Load(run.order.UID)
	if !ok || first.(sighting).of != startedAt {
		first = sighting{of: startedAt, at: run.now}
		r.firstSeen.Store(run.order.UID, first)
	}
	return first.(sighting).at.Add(settle).Sub(run.now)
}

// sighting is when a submission, known by its time, was seen first.
type sighting struct{ of, at time.Time }

// presume takes an id over. Until its certificate proves it, it is not withdrawn.
func (r *OrderReconciler) presume(ctx context.Context, run *orderRun, id string, basis v1alpha1.OrderIDBasis) outcome {
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		if status.OrderID != "" && status.OrderID != id {
			return errOtherID
		}
		status.OrderID, status.OrderIDBasis, status.SubmittedAt = id, basis, run.timestamp()
		return nil
	})
	if err != nil {
		return failed(err)
	}
	return proceed()
}

// take obeys an operator who has looked in the console.
func (r *OrderReconciler) take(ctx context.Context, run *orderRun, word string) outcome {
	held, err := r.heldOrderIDs(ctx, run.order)
	if err != nil {
		return failed(err)
	}
	id, ok := cas.ParseOrderID(word)
	switch {
	case !ok:
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
			"the annotation %s is %q: set it to the id of an order at CAS, or to %q", v1alpha1.OrderIDAnnotation, bounded(word, 64), v1alpha1.NoOrder))
	case held[word]:
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
			"the annotation %s names CAS order %s, which another AliyunOrder holds: name another one, or %q", v1alpha1.OrderIDAnnotation, id, v1alpha1.NoOrder))
	}
	if end := r.presume(ctx, run, string(id), v1alpha1.OrderIDByOperator); end.kind != outcomeProceed {
		return end
	}
	return r.dropWord(ctx, run)
}

// dropWord removes the annotation once it is obeyed: it was said about one doubt.
func (r *OrderReconciler) dropWord(ctx context.Context, run *orderRun) outcome {
	next := run.stored.DeepCopy()
	delete(next.Annotations, v1alpha1.OrderIDAnnotation)
	if err := r.Patch(ctx, next, client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return failed(err)
	}
	status := run.order.Status
	run.stored, run.order = next, next.DeepCopy()
	run.order.Status = status
	return proceed()
}

// submitAgain buys once more, after a second listing without the order, and if the plan has lost no certificate that
// nobody accounts for. A person's word replaces these, and is used up.
func (r *OrderReconciler) submitAgain(ctx context.Context, run *orderRun, calls *cas.Client) outcome {
	submission := run.order.Status.Submission
	hasWord := run.order.Annotations[v1alpha1.OrderIDAnnotation] == v1alpha1.NoOrder
	if !hasWord {
		switch {
		case submission.Attempt >= maxAttempts:
			return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order, fmt.Sprintf("no order for that name is in the listings of CAS after %d attempts", submission.Attempt)))
		case submission.EmptyListingAt == nil:
			submission.EmptyListingAt = run.timestamp()
			return wait(listingGap + time.Second)
		case run.now.Sub(submission.EmptyListingAt.Time) < listingGap:
			return wait(submission.EmptyListingAt.Add(listingGap).Sub(run.now) + time.Second)
		}
		if end := r.accountedFor(ctx, run, calls); end.kind != outcomeProceed {
			return end
		}
	}
	if end := r.readyIssuer(ctx, run); end.kind != outcomeProceed {
		return end
	}
	if end := r.maySpend(ctx, run); end.kind != outcomeProceed {
		return end
	}
	contact, err := r.Remote.Secrets.Contact(ctx, run.secrets(), run.issuer.GetSpec())
	if err != nil {
		return judge(err, run.stateAge())
	}
	if hasWord {
		if end := r.dropWord(ctx, run); end.kind != outcomeProceed {
			return end
		}
	}
	return r.buy(ctx, run, calls, contact)
}

// accountedFor compares how many certificates the plan has lost since before the submission with what our Orders got.
func (r *OrderReconciler) accountedFor(ctx context.Context, run *orderRun, calls *cas.Client) outcome {
	submission, product := run.order.Status.Submission, run.order.Spec.Source.ResourcePlan.ProductCode
	if submission.UsedCount == nil || submission.UsedCountAt == nil {
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order, "how many certificates of the plan were used before is not known"))
	}
	numbers, err := calls.Package(ctx, product)
	if err != nil {
		return judge(err, run.stateAge())
	}
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.APIReader.List(ctx, orders); err != nil {
		return failed(err)
	}
	risen := int64(numbers.Used) - *submission.UsedCount
	for _, order := range orders.Items {
		status, plan := order.Status, order.Spec.Source.ResourcePlan
		isOurs := order.UID != run.order.UID && plan != nil && plan.ProductCode == product && status.OrderIDBasis == v1alpha1.OrderIDByAnswer &&
			site(&order) == site(run.order) && order.Spec.SecretNamespace == run.order.Spec.SecretNamespace &&
			equality.Semantic.DeepEqual(order.Spec.Credentials, run.order.Spec.Credentials) // an order of another account accounts for nothing
		if isOurs && status.SubmittedAt != nil && !status.SubmittedAt.Before(submission.UsedCountAt) {
			risen--
		}
	}
	if risen > 0 {
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order, fmt.Sprintf(
			"no order for that name is in the listings of CAS, but the plan for %q has lost %d certificates that no AliyunOrder accounts for", product, risen)))
	}
	return proceed()
}

// ambiguous asks a person to look where this controller cannot see: the console shows the tags of an order.
func ambiguous(order *v1alpha1.AliyunOrder, cause string) string {
	return fmt.Sprintf("CAS was asked at %s for an order for %q, its answer is not known, and %s. Nothing is bought until that is settled. "+
		"Look in the console of CAS for an order for this name of that time%s, and annotate this AliyunOrder with its id, or with %q if there is none: "+
		"kubectl annotate aliyunorder %s -n %s %s=<id or %s>",
		order.Status.Submission.StartedAt.UTC().Format(time.RFC3339), order.Spec.CommonName, cause, tagged(order), v1alpha1.NoOrder, order.Name, order.Namespace, v1alpha1.OrderIDAnnotation, v1alpha1.NoOrder)
}
