// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
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
