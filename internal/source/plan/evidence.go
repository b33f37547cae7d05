// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// planUse is what Orders say about how the count of a plan has changed since it was read for a purchase in doubt.
type planUse struct {
	// explained is how many orders were bought since, are proven to be ours, and still count.
	explained int64
	// open is another purchase since then that may still turn out to explain something, or nil.
	open *v1alpha1.AliyunOrder
}

// siblingPatience is how long after its settle time another purchase in doubt may still explain what a plan has lost.
const siblingPatience = 10 * time.Minute

// Reads past the cache what other Orders have bought from the plan since its count was read for this one.
func (s *session) usedSince(ctx context.Context) (use planUse, err error) {
	product := s.Order.Spec.Source.ResourcePlan.ProductCode
	list, self := &v1alpha1.AliyunOrderList{}, book.AccountOfOrder(s.Order)
	for {
		err := s.APIReader.List(ctx, list, client.MatchingFields{fieldProductCode: product},
			client.Limit(pageOfOrders), client.Continue(list.Continue))
		if err != nil {
			return use, err
		}
		for i := range list.Items {
			other := &list.Items[i]
			if other.UID == s.Order.UID || self.To(book.AccountOfOrder(other)) != book.SameAccount ||
				!isSince(other.Status.Submission, s.Order.Status.Submission) {
				continue
			}
			use.add(other, s.Now, s.settle())
		}
		if list.Continue == "" {
			return use, nil
		}
	}
}

// pageOfOrders bounds how many of a cluster's Orders are held in memory at once.
const pageOfOrders = 500

func (u *planUse) add(other *v1alpha1.AliyunOrder, now time.Time, settle time.Duration) {
	status := &other.Status
	isGivenBack := status.Release != nil && status.Release.Outcome == v1alpha1.Released
	switch {
	case isGivenBack || status.HandedOverTo != "" || status.Missing != nil:
	case status.OrderID != "" && !status.IsPresumed():
		u.explained++
	case status.Release != nil && status.Release.Outcome != "": // it has ended, and will not prove anything any more
	case status.OrderID != "", now.Sub(status.Submission.StartedAt.Time) < settle+siblingPatience:
		u.open = other
	}
}

// Says whether a purchase was made after the count was read for mine. Purchases that share a reading were all made
// after it.
func isSince(other, mine *v1alpha1.OrderSubmission) bool {
	if other == nil {
		return false
	}
	a, b := evidenceOf(other), evidenceOf(mine)
	if a.UsedCountAt == nil || a.UsedCount == nil || b.UsedCountAt == nil || b.UsedCount == nil {
		return false
	}
	if a.UsedCountAt.Equal(b.UsedCountAt) {
		return *a.UsedCount >= *b.UsedCount
	}
	return b.UsedCountAt.Before(a.UsedCountAt)
}

// Returns what a submission is looked for with, which may be empty.
func evidenceOf(submission *v1alpha1.OrderSubmission) v1alpha1.PlanEvidence {
	if submission.ResourcePlan == nil {
		return v1alpha1.PlanEvidence{}
	}
	return *submission.ResourcePlan
}

// Puts evidence into a submission, and nothing if it is empty.
func setEvidence(submission *v1alpha1.OrderSubmission, evidence v1alpha1.PlanEvidence) {
	submission.ResourcePlan = &evidence
	if evidence == (v1alpha1.PlanEvidence{}) {
		submission.ResourcePlan = nil
	}
}

// Compares how many certificates the plan has lost since its count was read for this submission with what our Orders
// have got since. If anything could hide a purchase, the answer is Ambiguous.
func (s *session) accountedFor(ctx context.Context) (source.Recovery, error) {
	was, product := evidenceOf(s.Order.Status.Submission), s.spec.ProductCode
	if was.UsedCount == nil || was.UsedCountAt == nil {
		return s.ambiguous("how many certificates of the plan were used before is not known, or orders of it were " +
			"given back since"), nil
	}
	numbers, err := s.calls.Package(ctx, product)
	if err != nil {
		return source.Recovery{}, err
	}
	use, err := s.usedSince(ctx)
	if err != nil {
		return source.Recovery{}, err
	}
	switch left := int64(numbers.Used) - *was.UsedCount - use.explained; {
	case left == 0:
		return source.Recovery{Answer: source.NothingBought}, nil
	case left > 0 && use.open != nil:
		return source.Recovery{Answer: source.Ambiguous, After: listingGap, Message: fmt.Sprintf(
			"the answer to the submission for %q was lost, no order for it is in the listings of CAS, and the plan "+
				"for %q has lost %d certificates more than AliyunOrders have proven to be theirs: %s may explain "+
				"that. This one waits for it, and goes on without further action",
			s.Order.Spec.CommonName, product, left, book.Mention(use.open, s.Order))}, nil
	case left > 0:
		return s.ambiguous(fmt.Sprintf("no order for that name is in the listings of CAS, but the plan for %q has "+
			"lost %d certificates that no AliyunOrder accounts for", product, left)), nil
	default:
		return s.ambiguous(fmt.Sprintf("no order for that name is in the listings of CAS, but the plan for %q counts "+
			"%d certificates fewer than were bought: somebody has deleted orders, which may hide one", product,
			-left)), nil
	}
}
