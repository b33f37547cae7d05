// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// adopt settles what became of a submission whose answer was lost. To take an order over, all evidence must agree; to
// submit again, all must disagree; anything between is held until a person decides.
func (r *buying) adopt(ctx context.Context, run *orderRun) outcome {
	if left := run.answerMayCome(); left > 0 {
		return wait(left)
	}
	if due := r.pace.remaining(run.order.UID, activityAdopt, run.now); due > 0 && run.word() == "" {
		return notYet(due)
	}
	release, isFree := r.claims.Take(book.AccountOfOrder(run.order), run.order.Spec.BaseName)
	if !isFree {
		return notYet(busy)
	}
	defer release()
	end := r.settleDoubt(ctx, run)
	if end.after > 0 {
		r.pace.next(run.order.UID, activityAdopt, run.now.Add(end.after))
	}
	return end
}

func (r *buying) settleDoubt(ctx context.Context, run *orderRun) outcome {
	session, err := r.open(run)
	if err == nil {
		err = r.inOtherAccount(ctx, run, access.OfOrder(run.order), r.Remote.Secrets)
	}
	if err != nil {
		return judge(err, run.stateAge())
	}
	if id := run.namedID(); id != "" {
		return r.take(ctx, run, session, id)
	}
	if end := r.recoverOrder(ctx, run, session); end.endsRun() || run.order.Status.OrderID != "" {
		return end
	}
	return r.submitAgain(ctx, run, session)
}

// Takes an id over on a basis other than the answer of CAS. If IsPresumed says so of that basis, the order is given
// back only in an account that nobody else uses, until its certificate proves that it is this one's (release).
func (r *holding) presume(ctx context.Context, run *orderRun, id string, basis v1alpha1.OrderIDBasis) outcome {
	err := r.record(ctx, run, func(status *v1alpha1.OrderStatus) error {
		if status.OrderID != "" && status.OrderID != id {
			return errOtherID
		}
		status.OrderID, status.OrderIDBasis, status.SubmittedAt = id, basis, run.timestamp()
		return nil
	})
	if err != nil {
		return apiError(err)
	}
	return proceed()
}

// Buys once more, because the last submission has bought nothing.
func (r *buying) submitAgain(ctx context.Context, run *orderRun, session source.Session) outcome {
	if end := r.readyIssuer(ctx, run); end.endsRun() {
		return end
	}
	if end := r.checkSpending(ctx, run); end.endsRun() {
		return end
	}
	if err := session.Prepare(ctx, run.issuer); err != nil {
		return judge(err, run.stateAge())
	}
	return r.buy(ctx, run, session)
}
