// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Recover looks into the listings of CAS. To take an order over, all evidence must agree; to submit again, all must
// disagree; anything between is ambiguous. The caller has claimed the name.
func (s *session) Recover(ctx context.Context, isTold bool) (source.Recovery, error) {
	submission := s.Order.Status.Submission
	if submission == nil {
		return s.lookBefore(ctx, isTold)
	}
	found, err := s.find(ctx, submission.StartedAt.Time, submission.StartedAt.Add(signatureLife))
	switch {
	case err != nil:
		return source.Recovery{}, err
	case !isTold && found.match != "":
		return bought(found), nil
	case !isTold && len(found.candidates) > 0:
		s.noteEmptyListing(nil)
		return s.ambiguous("CAS has more than one order, or one that differs, for that name: " + found.ids()), nil
	}
	if left := s.unsettled(found.date); left > 0 {
		return source.Recovery{Answer: source.NotYet, After: left}, nil
	}
	if isTold {
		return source.Recovery{Answer: source.NothingBought}, nil
	}
	return s.settled(ctx)
}

// Makes sure that nobody has submitted this request before: the AliyunOrder that says so may be lost with a restored
// store, or may have been removed by force.
func (s *session) lookBefore(ctx context.Context, isTold bool) (source.Recovery, error) {
	found, err := s.find(ctx, s.RequestedAt, s.Now)
	switch {
	case err != nil:
		return source.Recovery{}, err
	case isTold || len(found.candidates) == 0:
		return source.Recovery{Answer: source.NothingBought}, nil
	case found.match != "":
		return bought(found), nil
	}
	return source.Recovery{Answer: source.Ambiguous, Message: fmt.Sprintf(
		"CAS has orders for %q that no AliyunOrder holds, and one of them may have been bought for this request: %s. "+
			"Nothing is bought until that is settled. Look in the console of CAS, and annotate this AliyunOrder with "+
			"the id of its order, or with %q if it has none: %s",
		s.Order.Spec.CommonName, found.ids(), v1alpha1.NoOrder, orders.HowToSay(s.Order))}, nil
}

func bought(found *search) source.Recovery {
	return source.Recovery{Answer: source.Bought, OrderID: string(found.match), Basis: v1alpha1.OrderIDByListing}
}

// Judges a submission that cannot be executed any more, and whose order is not in the listing. To submit again, a
// second listing must not have it either, and the plan must have lost no certificate that no Order accounts for.
func (s *session) settled(ctx context.Context) (source.Recovery, error) {
	submission := s.Order.Status.Submission
	empty := evidenceOf(submission).EmptyListingAt
	switch {
	case submission.Attempt >= source.MaxAttempts:
		return s.ambiguous(fmt.Sprintf("no order for that name is in the listings of CAS after %d attempts",
			submission.Attempt)), nil
	case empty == nil:
		s.noteEmptyListing(&s.Now)
		return source.Recovery{Answer: source.NotYet, After: listingGap + time.Second}, nil
	case s.Now.Sub(empty.Time) < listingGap:
		return source.Recovery{Answer: source.NotYet, After: empty.Add(listingGap).Sub(s.Now) + time.Second}, nil
	}
	return s.accountedFor(ctx)
}

// Notes when a listing was first without the order, or with nil that a listing has candidates again.
func (s *session) noteEmptyListing(at *time.Time) {
	evidence := evidenceOf(s.Order.Status.Submission)
	evidence.EmptyListingAt = nil
	if at != nil {
		evidence.EmptyListingAt = &metav1.Time{Time: at.Truncate(time.Second)}
	}
	setEvidence(s.Order.Status.Submission, evidence)
}

// Returns how long the submission may still be executed, by the clock of CAS, which decides that. If CAS does not tell
// the time, counts only the time that this process has seen pass.
func (s *session) unsettled(date time.Time) time.Duration {
	startedAt := s.Order.Status.Submission.StartedAt
	if !date.IsZero() {
		return startedAt.Add(s.settle()).Sub(date)
	}
	of := startedAt.UTC()
	first, ok := s.firstSeen.Load(s.Order.UID)
	if !ok || first.(sighting).of != of {
		first = sighting{of: of, at: s.Now}
		s.firstSeen.Store(s.Order.UID, first)
	}
	return first.(sighting).at.Add(s.settle()).Sub(s.Now)
}

// sighting is when this process first saw a submission, which is known by the time of its intent.
type sighting struct{ of, at time.Time }

// Trace looks for the order of a lost answer in the listings. A match is enough to withdraw it only in an account that
// nobody else uses.
func (s *session) Trace(ctx context.Context) (source.Recovery, error) {
	started := s.Order.Status.Submission.StartedAt
	found, err := s.find(ctx, started.Time, started.Add(signatureLife))
	switch {
	case err != nil:
		return source.Recovery{}, err
	case len(found.candidates) == 0:
		return unproven("no order for that name is in the listings of CAS"), nil
	case found.match == "" || s.Order.Spec.Account != v1alpha1.AccountExclusive:
		return unproven("it may be one of these: " + found.ids()), nil
	}
	return bought(found), nil
}

func unproven(why string) source.Recovery {
	return source.Recovery{Answer: source.Ambiguous, Message: why}
}

// ambiguous asks a person to look where this controller cannot see: the console shows the tags of an order.
func (s *session) ambiguous(cause string) source.Recovery {
	order := s.Order
	return source.Recovery{Answer: source.Ambiguous, Message: fmt.Sprintf(
		"CAS was asked at %s for an order for %q, %s, and %s. Nothing is bought until that is settled. Look in the "+
			"console of CAS for an order for this name of that time%s, and annotate this AliyunOrder with its id, or "+
			"with %q if there is none: %s",
		order.Status.Submission.StartedAt.UTC().Format(time.RFC3339), order.Spec.CommonName,
		orders.Unclear(order.Status.Submission), cause, offer{ResourcePlan: s.spec}.Tag(order), v1alpha1.NoOrder,
		orders.HowToSay(order))}
}
