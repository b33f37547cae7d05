// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

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
	if left := run.answerMayCome(); left > 0 {
		return wait(left)
	}
	if due := r.pace.remaining(run.order.UID, activityAdopt, run.now); due > 0 && run.word() == "" {
		return rest(due)
	}
	release, isFree := r.book.claim(accountOfOrder(run.order), run.order.Spec.BaseName)
	if !isFree {
		return rest(busy)
	}
	defer release()
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
	if id := run.namedID(); id != "" {
		return r.take(ctx, run, calls, id)
	}
	found, err := r.find(ctx, run, calls, submission.StartedAt.Time, submission.StartedAt.Add(signatureLife))
	if isAPIError(err) {
		return failed(err)
	}
	if err != nil {
		return judge(err, run.stateAge())
	}
	switch isTold := run.word() == v1alpha1.NoOrder; {
	case !isTold && found.match != "":
		return r.presume(ctx, run, string(found.match), v1alpha1.OrderIDByListing)
	case !isTold && len(found.candidates) > 0:
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

// submitAgain buys once more, after a second listing without the order, and if the plan has lost no certificate that
// nobody accounts for. A person's word replaces these.
func (r *OrderReconciler) submitAgain(ctx context.Context, run *orderRun, calls *cas.Client) outcome {
	submission := run.order.Status.Submission
	if run.word() != v1alpha1.NoOrder {
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
	return r.buy(ctx, run, calls, contact)
}

// ambiguous asks a person to look where this controller cannot see: the console shows the tags of an order.
func ambiguous(order *v1alpha1.AliyunOrder, cause string) string {
	return fmt.Sprintf("CAS was asked at %s for an order for %q, its answer is not known, and %s. Nothing is bought until that is settled. "+
		"Look in the console of CAS for an order for this name of that time%s, and annotate this AliyunOrder with its id, or with %q if there is none: "+
		"kubectl annotate aliyunorder %s -n %s %s=<id or %s>",
		order.Status.Submission.StartedAt.UTC().Format(time.RFC3339), order.Spec.CommonName, cause, tagged(order), v1alpha1.NoOrder, order.Name, order.Namespace, v1alpha1.OrderIDAnnotation, v1alpha1.NoOrder)
}
