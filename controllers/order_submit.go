// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// intentBound is how long the write of an intent may take. With the deadlines of the call and of the id's write it
// stays within what the process waits for at its end.
const intentBound = 5 * time.Second

// submit buys, at most once. An id proves that it has; an intent without an id that it may have.
func (r *OrderReconciler) submit(ctx context.Context, run *orderRun) outcome {
	if end := r.obeyed(ctx, run); end.kind != outcomeProceed {
		return end
	}
	if run.order.Status.OrderID != "" {
		return proceed()
	}
	if run.order.Status.Submission != nil {
		return r.adopt(ctx, run)
	}
	if due := r.pace.remaining(run.order.UID, activitySubmit, run.now); due > 0 && run.word() == "" {
		return rest(due)
	}
	if end := r.maySpend(ctx, run); end.kind != outcomeProceed {
		return end // it has cost no call: what wakes the order may end it at once
	}
	end := r.order(ctx, run)
	if end.after > 0 {
		r.pace.next(run.order.UID, activitySubmit, run.now.Add(end.after))
	}
	return end
}

// order claims the name in the account, and buys for it if nobody has yet.
func (r *OrderReconciler) order(ctx context.Context, run *orderRun) outcome {
	calls, err := r.Remote.cas(reachOfOrder(run.order), r.Remote.Secrets)
	if err != nil {
		return judge(err, run.stateAge())
	}
	account, err := r.accountOf(ctx, run, r.Remote.Secrets)
	if err != nil {
		return judge(err, run.stateAge())
	}
	run.order.Status.AccountID = account
	contact, err := r.Remote.Secrets.Contact(ctx, run.secrets(), run.issuer.GetSpec())
	if err != nil {
		return judge(err, run.stateAge())
	}
	release, isFree := r.book.claim(accountOfOrder(run.order), run.order.Spec.BaseName)
	if !isFree {
		return rest(busy)
	}
	defer release()
	if end := r.noOtherDoubt(ctx, run); end.kind != outcomeProceed {
		return end
	}
	if !r.Fresh.take(run.order.UID, run.now) || run.word() != "" {
		if end := r.findEarlier(ctx, run, calls); end.kind != outcomeProceed || run.order.Status.OrderID != "" {
			return end
		}
	}
	if end := r.precheck(ctx, run); end.kind != outcomeProceed {
		return end
	}
	return r.buy(ctx, run, calls, contact)
}

// noOtherDoubt lets only one order for a name be in doubt in an account: two could not be told apart in a listing.
func (r *OrderReconciler) noOtherDoubt(ctx context.Context, run *orderRun) outcome {
	page, err := open(ctx, r.APIReader, run.order)
	if err != nil {
		return failed(err)
	}
	other := page.doubt(run.now, max(r.Settle, MinSettle)+siblingPatience)
	if other == nil {
		return proceed()
	}
	return stall(holdFirst, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
		"what became of the submission of %s for the same name is not known yet: this one is submitted once that is settled; it is looked at again within a minute", mention(other, run.order)))
}

// buy writes the intent, calls, and writes what came of it. From the intent on it does not end with ctx: whoever
// stops the process waits for it.
func (r *OrderReconciler) buy(ctx context.Context, run *orderRun, calls *cas.Client, contact cas.Contact) outcome {
	count, err := r.book.beginPurchase(run.order, run.now, func() (int, error) {
		numbers, err := calls.Package(ctx, run.order.Spec.Source.ResourcePlan.ProductCode)
		return numbers.Used, err
	})
	switch {
	case err != nil:
		return judge(err, run.stateAge())
	case count == nil:
		return rest(busy)
	}
	defer count.end()
	if end := r.charge(ctx, run); end.kind != outcomeProceed {
		return end
	}
	if ctx.Err() != nil || !r.Submissions.begin() {
		return rest(time.Second)
	}
	defer r.Submissions.end()
	ctx = context.WithoutCancel(ctx)
	if err := r.writeIntent(ctx, run, count); err != nil {
		return failed(err)
	}
	submission := calls.Submit(ctx, r.application(run, contact))
	log.FromContext(ctx).Info("submitted", "commonName", run.order.Spec.CommonName, "productCode", run.order.Spec.Source.ResourcePlan.ProductCode,
		"outcome", submission.Outcome, "orderID", submission.OrderID)
	switch submission.Outcome {
	case cas.Accepted:
		r.spent.found(plan(run), false, run.now)
		return r.recordOrderID(ctx, run, submission.OrderID)
	case cas.NotBought:
		return r.notBought(ctx, run, submission.Err)
	default:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "AnswerUnknown", "Submit",
			"the answer of CAS does not say whether an order was made (%s): it is looked for in the listings of CAS", bounded(submission.Err.Error(), 800))
		return wait(inDoubt)
	}
}

// writeIntent writes what is needed to find out later whether something was bought. The count of the plan is left out
// where it would be no evidence; one that has ceased to be any while the intent was written is taken out again, for
// whoever gives an order back can only do that to an intent that is there.
func (r *OrderReconciler) writeIntent(ctx context.Context, run *orderRun, count *baseline) error {
	ctx, cancel := context.WithTimeout(ctx, intentBound)
	defer cancel()
	next := &v1alpha1.OrderSubmission{StartedAt: *run.timestamp(), Attempt: 1}
	if last := run.order.Status.Submission; last != nil {
		next.Attempt = last.Attempt + 1
	}
	if run.word() == v1alpha1.NoOrder {
		next.Word = v1alpha1.NoOrder
	}
	if count.says() {
		next.UsedCount, next.UsedCountAt = new(count.reading.used), new(count.reading.at)
	}
	run.order.Status.Submission = next
	if err := r.save(ctx, run); err != nil {
		return err
	}
	if next.UsedCount == nil || count.says() {
		return nil
	}
	next.UsedCount, next.UsedCountAt = nil, nil
	return r.save(ctx, run)
}

func (r *OrderReconciler) application(run *orderRun, contact cas.Contact) cas.Application {
	order, plan := run.order, run.order.Spec.Source.ResourcePlan
	app := cas.Application{
		CSR:          string(order.Spec.Request),
		ProductCode:  plan.ProductCode,
		ValidateType: validateType(order.Spec.Solver),
		Contact:      contact,
		StartedAt:    order.Status.Submission.StartedAt.Time,
	}
	if plan.Tags != v1alpha1.TagsDisabled {
		app.Tags = map[string]string{
			v1alpha1.Group + "/cluster":   r.Cluster,
			v1alpha1.Group + "/namespace": order.Namespace,
			v1alpha1.Group + "/name":      order.Spec.RequestRef.Name,
			v1alpha1.Group + "/uid":       string(order.Spec.RequestRef.UID),
		}
	}
	return app
}

// findEarlier makes sure that nobody has submitted this request before: the record of it may be lost with a restored
// store, or with an AliyunOrder that was removed by force.
func (r *OrderReconciler) findEarlier(ctx context.Context, run *orderRun, calls *cas.Client) outcome {
	if id := run.namedID(); id != "" {
		return r.take(ctx, run, calls, id)
	}
	found, err := r.find(ctx, run, calls, run.request.CreationTimestamp.Time, run.now)
	switch {
	case isAPIError(err):
		return failed(err)
	case err != nil:
		return judge(err, run.stateAge())
	case run.word() == v1alpha1.NoOrder:
		return proceed()
	case found.match != "":
		return r.presume(ctx, run, string(found.match), v1alpha1.OrderIDByListing)
	case len(found.candidates) == 0:
		return proceed()
	}
	return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
		"CAS has orders for %q that no AliyunOrder holds, and one of them may have been bought for this request: %s. Nothing is bought until that is settled. "+
			"Look in the console of CAS, and annotate this AliyunOrder with the id of its order, or with %q if it has none: kubectl annotate aliyunorder %s -n %s %s=<id or %s>",
		run.order.Spec.CommonName, found.ids(), v1alpha1.NoOrder, run.order.Name, run.order.Namespace, v1alpha1.OrderIDAnnotation, v1alpha1.NoOrder))
}
