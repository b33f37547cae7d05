// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// Makes the next step that the order's phase allows. While a further step is left, returns no outcome, and says why in
// cause.
func (r *releasing) giveBack(ctx context.Context, by access.Reach,
	run *orderRun) (outcome v1alpha1.ReleaseOutcome, cause string, err error) {
	id := run.order.Status.OrderID
	seen, err := run.session.Observe(ctx, id)
	if err != nil {
		return "", "", err
	}
	if seen.IsMissing {
		if err := r.inOtherAccount(ctx, run, by, credentials.Last{Store: r.Remote.Secrets}); err != nil {
			return "", "", err
		}
		return r.goneOutcome(run), "CAS does not know it", nil
	}
	r.efforts.end(run.order.UID, activityGone)
	run.seen = seen
	run.takeDown(seen)
	switch seen.Phase {
	case v1alpha1.PhaseIssued:
		// One look is enough: what is issued stays paid for, whatever is said of it later.
		return v1alpha1.NothingToRelease, "", nil
	case v1alpha1.PhaseAwaitingValidation, v1alpha1.PhaseInReview:
		if isAlive, err := r.isAlive(ctx, run); isAlive || err != nil {
			return "", "", err
		}
	}
	isDone, cause, err := run.session.Withdraw(ctx, id, seen)
	if !isDone || err != nil {
		return "", cause, err
	}
	return v1alpha1.Released, "", nil
}

// Ends a release that began because CAS said that the order had ended, if the request still waits for a certificate:
// CAS works on the order after all, and to give it back would throw away what is wanted.
func (r *releasing) isAlive(ctx context.Context, run *orderRun) (bool, error) {
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

// Says what became of an order that CAS does not know any more: Released if a delete of ours may have removed it and
// its reply was lost; NothingToRelease if somebody else has removed it. Returns "" while that is not certain: CAS may
// know a young order only later, so it takes several looks.
func (r *releasing) goneOutcome(run *orderRun) v1alpha1.ReleaseOutcome {
	switch {
	case hasEnded(run.order.Status.Progress):
		return v1alpha1.Released
	case r.efforts.tried(run.order.UID, activityGone, goneAfter, run.now, nil).isSpent(run.now):
		return v1alpha1.NothingToRelease
	default:
		return ""
	}
}
