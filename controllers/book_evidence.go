// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// planUse is what Orders say about how a plan's count has changed since a purchase in doubt.
type planUse struct {
	// explained orders were bought since, are proven to be ours, and are still charged.
	explained int64
	// open says that another purchase since may still turn out to explain something.
	open *v1alpha1.AliyunOrder
}

// siblingPatience is how long after its settle time another purchase in doubt may still explain what a plan has lost.
const siblingPatience = 10 * time.Minute

// usedSince reads past the cache what others have bought of the order's plan since the count was read for it.
func (r *OrderReconciler) usedSince(ctx context.Context, run *orderRun) (use planUse, err error) {
	product := run.order.Spec.Source.ResourcePlan.ProductCode
	list, self := &v1alpha1.AliyunOrderList{}, accountOfOrder(run.order)
	for {
		err := r.APIReader.List(ctx, list, client.MatchingFields{fieldProductCode: product}, client.Limit(pageOfOrders), client.Continue(list.Continue))
		if err != nil {
			return use, err
		}
		for i := range list.Items {
			other := &list.Items[i]
			if other.UID == run.order.UID || self.to(accountOfOrder(other)) != sameAccount || !isSince(other.Status.Submission, run.order.Status.Submission) {
				continue
			}
			use.add(other, run.now, max(r.Settle, MinSettle))
		}
		if list.Continue == "" {
			return use, nil
		}
	}
}

// pageOfOrders bounds what is held in memory of a cluster's Orders at once.
const pageOfOrders = 500

func (u *planUse) add(other *v1alpha1.AliyunOrder, now time.Time, settle time.Duration) {
	status := &other.Status
	isGivenBack := status.Release != nil && status.Release.Outcome == v1alpha1.Released
	switch {
	case isGivenBack || status.HandedOverTo != "" || status.Missing != nil:
	case status.OrderID != "" && !status.IsPresumed():
		u.explained++
	case status.OrderID != "", now.Sub(status.Submission.StartedAt.Time) < settle+siblingPatience:
		u.open = other
	}
}

// isSince says that a purchase was made after the count was read for another one. Those that share a reading are all made
// after it.
func isSince(other, mine *v1alpha1.OrderSubmission) bool {
	if other == nil || other.UsedCountAt == nil || other.UsedCount == nil || mine.UsedCountAt == nil || mine.UsedCount == nil {
		return false
	}
	if other.UsedCountAt.Equal(mine.UsedCountAt) {
		return *other.UsedCount >= *mine.UsedCount
	}
	return mine.UsedCountAt.Before(other.UsedCountAt)
}

// accountedFor compares how many certificates the plan has lost since right before the submission with what our Orders
// got since. Whatever could hide a purchase means that nothing is known.
func (r *OrderReconciler) accountedFor(ctx context.Context, run *orderRun, calls *cas.Client) outcome {
	submission, product := run.order.Status.Submission, run.order.Spec.Source.ResourcePlan.ProductCode
	if submission.UsedCount == nil || submission.UsedCountAt == nil {
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order,
			"how many certificates of the plan were used before is not known, or orders of it were given back since"))
	}
	numbers, err := calls.Package(ctx, product)
	if err != nil {
		return judge(err, run.stateAge())
	}
	use, err := r.usedSince(ctx, run)
	if err != nil {
		return failed(err)
	}
	switch left := int64(numbers.Used) - *submission.UsedCount - use.explained; {
	case left == 0:
		return proceed()
	case left > 0 && use.open != nil:
		return stall(listingGap, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
			"the answer to the submission for %q was lost, no order for it is in the listings of CAS, and the plan for %q has lost %d certificates more than AliyunOrders have proven to be theirs: "+
				"%s may explain that. This one waits for it, and goes on without further action", run.order.Spec.CommonName, product, left, mention(use.open, run.order)))
	case left > 0:
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order, fmt.Sprintf(
			"no order for that name is in the listings of CAS, but the plan for %q has lost %d certificates that no AliyunOrder accounts for", product, left)))
	default:
		return stall(holdLongest, v1alpha1.ReasonAmbiguousSubmission, ambiguous(run.order, fmt.Sprintf(
			"no order for that name is in the listings of CAS, but the plan for %q counts %d certificates fewer than were bought: somebody has deleted orders, which may hide one", product, -left)))
	}
}

// mention tells people which Order is meant. Nobody is told of what is in a namespace that may be somebody else's.
func mention(other, reader *v1alpha1.AliyunOrder) string {
	if other.Namespace != reader.Namespace {
		return "an AliyunOrder of another namespace"
	}
	return fmt.Sprintf("the AliyunOrder %q", other.Name)
}
