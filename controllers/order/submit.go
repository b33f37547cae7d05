// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// intentBound is how long the write of an intent may take. It is part of SubmissionGrace, which the process waits at
// its end.
const intentBound = 5 * time.Second

// buying is the phase submit, with all that may keep an order from being bought.
type buying struct {
	*kube
	*outside
	*guarding
	*ledger
	*holding
	*hearing
	*prechecking
	*intending

	pace   *pace
	spent  *spending
	claims *book.Claims
	// fresh knows the Orders that this process made.
	fresh       *orders.Fresh
	submissions *Submissions
}

// Buys, and never twice for one doubt. An Order with an id has bought; one with an intent and no id may have, and adopt
// settles that.
func (r *buying) submit(ctx context.Context, run *orderRun) outcome {
	defer r.spent.giveBack(run)
	if end := r.obeyed(ctx, run); end.endsRun() {
		return end
	}
	if run.order.Status.OrderID != "" {
		return proceed()
	}
	if run.order.Status.Submission != nil {
		return r.adopt(ctx, run)
	}
	if due := r.pace.remaining(run.order.UID, activitySubmit, run.now); due > 0 && run.word() == "" {
		return notYet(due)
	}
	end := r.reuse(ctx, run)
	if !end.endsRun() {
		if end := r.checkSpending(ctx, run); end.endsRun() {
			return end // keeps no pace: a look costs no call, and what wakes the order may have ended the reason
		}
		end = r.purchase(ctx, run)
	}
	if end.after > 0 &&
		end.reason != v1alpha1.ReasonQuotaExhausted { // takeTry says when an exhausted supply is tried again
		r.pace.next(run.order.UID, activitySubmit, run.now.Add(end.after))
	}
	return end
}

// Claims the name in the account, makes sure that nothing speaks against a purchase, and buys.
func (r *buying) purchase(ctx context.Context, run *orderRun) outcome {
	session, err := r.open(run)
	if err != nil {
		return judge(err, run.stateAge())
	}
	account, err := r.accountOf(ctx, access.OfOrder(run.order), r.Remote.Secrets)
	if err != nil {
		return judge(err, run.stateAge())
	}
	run.order.Status.AccountID = account
	if err := session.Prepare(ctx, run.issuer); err != nil {
		return judge(err, run.stateAge())
	}
	release, isFree := r.claims.Take(book.AccountOfOrder(run.order), run.order.Spec.BaseName)
	if !isFree {
		return notYet(busy)
	}
	defer release()
	if end := r.noOtherDoubt(ctx, run); end.endsRun() {
		return end
	}
	if !r.fresh.Take(run.order.UID, run.now) || run.word() != "" {
		if end := r.findEarlier(ctx, run, session); end.endsRun() || run.order.Status.OrderID != "" {
			return end
		}
	}
	if end := r.repeated(ctx, run); end.endsRun() {
		return end
	}
	if end := r.precheck(ctx, run); end.endsRun() {
		return end
	}
	return r.buy(ctx, run, session)
}

// Holds the order while another one for the name is in doubt in the account: two doubts could not be told apart.
func (r *buying) noOtherDoubt(ctx context.Context, run *orderRun) outcome {
	page, err := book.Open(ctx, r.APIReader, run.order)
	if err != nil {
		return apiError(err)
	}
	other := page.Doubt(run.now, run.offer.Patience())
	if other == nil {
		return proceed()
	}
	return hold(holdFirst, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
		"what became of the submission of %s for the same name is not known yet: this one is submitted once "+
			"that is settled", book.Mention(other, run.order)))
}

// Writes the intent, calls, and writes what came of it. Does not end with ctx from the intent on: whoever stops the
// process waits for it (Submissions).
func (r *buying) buy(ctx context.Context, run *orderRun, session source.Session) outcome {
	intent, err := session.Intend(ctx)
	shortage, isShort := errors.AsType[*source.Shortage](err)
	switch {
	case isShort:
		return hold(holdDelay(run.stateAge()), v1alpha1.ReasonQuotaExhausted, shortage.Message)
	case err != nil:
		return judge(err, run.stateAge())
	case intent == nil:
		return notYet(busy)
	}
	defer intent.End()
	if end := r.charge(ctx, run); end.endsRun() {
		return end
	}
	if ctx.Err() != nil || !r.submissions.begin() {
		return notYet(time.Second)
	}
	defer r.submissions.end()
	ctx = context.WithoutCancel(ctx)
	if err := r.writeIntent(ctx, run, intent); err != nil {
		return apiError(err)
	}
	run.try = nil // it is used
	bought := session.Buy(ctx)
	log.FromContext(ctx).Info("submitted", "commonName", run.order.Spec.CommonName, "product", run.offer.Product(),
		"isAccepted", bought.Outcome == source.Accepted, "isNotBought", bought.Outcome == source.NotBought, "orderID",
		bought.OrderID)
	switch bought.Outcome {
	case source.Accepted:
		r.spent.noteTry(run.supply(), false, run.now)
		return r.recordOrderID(ctx, run, bought.OrderID)
	case source.NotBought:
		return r.notBought(ctx, run, bought)
	default:
		run.order.Status.Submission.Answer = apiserver.Bounded(verdict.Sentence(bought.Err), 800)
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "AnswerUnknown", "Submit",
			"the answer of CAS does not say whether an order was made (%s): %s",
			run.order.Status.Submission.Answer, run.offer.Words().Search)
		return wait(inDoubt)
	}
}

// Writes what is needed to find out later whether something was bought. After an error, the intent may stand in the
// store all the same: remembers that no call followed it.
func (r *intending) writeIntent(ctx context.Context, run *orderRun, intent source.Intent) error {
	ctx, cancel := context.WithTimeout(ctx, intentBound)
	defer cancel()
	next := &v1alpha1.OrderSubmission{StartedAt: *run.timestamp(), Attempt: 1}
	if last := run.order.Status.Submission; last != nil {
		next.Attempt = last.Attempt + 1
	}
	if run.word() == v1alpha1.NoOrder {
		next.Word = v1alpha1.NoOrder
	}
	intent.Note(next)
	run.order.Status.Submission = next
	written := *next
	err := r.save(ctx, run)
	if apierrors.IsConflict(err) {
		return err // it is not written
	}
	if err == nil {
		intent.Note(next)
		err = r.save(ctx, run) // writes nothing if the evidence has not changed
	}
	if err != nil {
		r.unsent.Store(run.order.UID, written)
	}
	return err
}

// Makes sure that nobody has submitted this request before: the AliyunOrder that says so may be lost with a restored
// store, or may have been removed by force.
func (r *buying) findEarlier(ctx context.Context, run *orderRun, session source.Session) outcome {
	if id := run.namedID(); id != "" {
		return r.take(ctx, run, session, id)
	}
	return r.recoverOrder(ctx, run, session)
}

// Asks the source about a doubt. Proceeds if nothing was bought, and also if the Order has an id now.
func (r *buying) recoverOrder(ctx context.Context, run *orderRun, session source.Session) outcome {
	found, err := session.Recover(ctx, run.word() == v1alpha1.NoOrder)
	switch {
	case apiserver.IsError(err):
		return apiError(err)
	case err != nil:
		return judge(err, run.stateAge())
	}
	switch found.Answer {
	case source.NothingBought:
		return proceed()
	case source.Bought:
		return r.presume(ctx, run, found.OrderID, found.Basis)
	case source.Ambiguous:
		return hold(cmp.Or(found.After, holdLongest), v1alpha1.ReasonAmbiguousSubmission, found.Message)
	default:
		return wait(min(max(found.After, time.Second), holdLongest))
	}
}
