// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// planPage is what this process is doing to the count of a plan. The count is evidence of what a lost answer has bought
// only if it is known what else changes it: so it is read while nothing of ours is under way, all purchases that begin
// until the last of them has ended share the reading, and no order is given back before the purchases in doubt know that
// the count says nothing any more.
type planPage struct {
	// buying are the Orders whose purchase is under way, and returning is how many orders are being given back.
	buying    map[types.UID]types.NamespacedName
	returning int
	// returns counts what was begun to be given back.
	returns int
	// isReading says that the first of the purchases is asking for the count.
	isReading bool
	// before is the reading that the purchases share; nil if it says nothing any more.
	before *countReading
}

// countReading is what CAS said about a plan, and when.
type countReading struct {
	used int64
	at   metav1.MicroTime
}

// baseline is what the count of a plan is compared with for a purchase that is under way.
type baseline struct {
	book *book
	plan string
	page *planPage
	// reading is nil if nothing is known to compare the count with; returns is the page's at that time.
	reading *countReading
	returns int
	order   types.UID
}

// planKey names a plan of an account.
func planKey(of account, productCode string) string { return of.key() + " " + productCode }

// page is the plan's, made on first use; the caller holds the mutex.
func (b *book) page(plan string) *planPage {
	if b.plans == nil {
		b.plans = map[string]*planPage{}
	}
	if b.plans[plan] == nil {
		b.plans[plan] = &planPage{buying: map[types.UID]types.NamespacedName{}}
	}
	return b.plans[plan]
}

// close forgets the page of a plan that nothing is done to; the caller holds the mutex.
func (b *book) close(plan string, page *planPage) {
	if len(page.buying) == 0 && page.returning == 0 {
		delete(b.plans, plan)
	}
}

// beginPurchase says that an Order is about to buy, and has the count of its plan read by read, if nobody has read it
// that still buys. It returns nil where the purchase has to wait for somebody else's call. The caller calls end once the
// answer is written.
func (b *book) beginPurchase(order *v1alpha1.AliyunOrder, now time.Time, read func() (used int, err error)) (*baseline, error) {
	plan := planKey(accountOfOrder(order), order.Spec.Source.ResourcePlan.ProductCode)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	page := b.page(plan)
	if page.returning > 0 || page.isReading {
		return nil, nil
	}
	isFirst := len(page.buying) == 0
	page.buying[order.UID] = client.ObjectKeyFromObject(order)
	p := &baseline{book: b, plan: plan, page: page, reading: page.before, returns: page.returns, order: order.UID}
	if !isFirst {
		return p, nil
	}
	page.isReading = true
	b.mutex.Unlock()
	used, err := read()
	b.mutex.Lock()
	page.isReading = false
	if err != nil {
		delete(page.buying, order.UID)
		b.close(plan, page)
		return nil, err
	}
	if page.returns == p.returns {
		p.reading = &countReading{used: int64(used), at: metav1.NewMicroTime(now.Truncate(time.Microsecond))}
		page.before = p.reading
	}
	return p, nil
}

// says is whether the count can still be compared with the reading of the purchase.
func (p *baseline) says() bool {
	p.book.mutex.Lock()
	defer p.book.mutex.Unlock()
	return p.reading != nil && p.returns == p.page.returns
}

func (p *baseline) end() {
	p.book.mutex.Lock()
	defer p.book.mutex.Unlock()
	delete(p.page.buying, p.order)
	p.book.close(p.plan, p.page)
}

// beginReturn says that an order of a plan is about to be given back, which may lower the count. First all purchases of
// the plan in doubt, and those under way, lose what they would compare it with. The caller calls end after the call.
func (r *OrderReconciler) beginReturn(ctx context.Context, order *v1alpha1.AliyunOrder) (end func(), err error) {
	plan, b := planKey(accountOfOrder(order), order.Spec.Source.ResourcePlan.ProductCode), &r.book
	b.mutex.Lock()
	page := b.page(plan)
	page.returning++
	page.returns++
	page.before = nil
	under := slices.Collect(maps.Values(page.buying))
	b.mutex.Unlock()
	end = func() {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		page.returning--
		b.close(plan, page)
	}
	doubtful, err := r.doubtsOfPlan(ctx, order)
	for _, key := range append(doubtful, under...) {
		if err == nil {
			err = r.forgetCount(ctx, key)
		}
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// doubtsOfPlan are the Orders in doubt whose plan this order's may be.
func (r *OrderReconciler) doubtsOfPlan(ctx context.Context, order *v1alpha1.AliyunOrder) ([]types.NamespacedName, error) {
	list, self := &v1alpha1.AliyunOrderList{}, accountOfOrder(order)
	product := client.MatchingFields{fieldProductCode: order.Spec.Source.ResourcePlan.ProductCode}
	if err := r.List(ctx, list, product, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var keys []types.NamespacedName
	for i := range list.Items {
		other := &list.Items[i]
		hasCount := isInDoubt(other) && other.Status.Submission.UsedCount != nil
		if hasCount && other.UID != order.UID && self.to(accountOfOrder(other)) != otherAccount {
			keys = append(keys, client.ObjectKeyFromObject(other))
		}
	}
	return keys, nil
}

// forgetCount takes from a purchase in doubt what it would compare the count of its plan with.
func (r *OrderReconciler) forgetCount(ctx context.Context, key types.NamespacedName) error {
	order := &v1alpha1.AliyunOrder{}
	if err := r.APIReader.Get(ctx, key, order); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !isInDoubt(order) || order.Status.Submission.UsedCount == nil {
		return nil
	}
	next := order.DeepCopy()
	next.Status.Submission.UsedCount, next.Status.Submission.UsedCountAt = nil, nil
	err := r.Status().Patch(ctx, next, client.MergeFromWithOptions(order, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

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
