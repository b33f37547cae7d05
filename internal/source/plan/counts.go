// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
)

// counts is what this process is doing to the counts of plans. The zero value is ready to use.
type counts struct {
	mutex sync.Mutex
	plans map[string]*planPage
}

// planPage is what this process is doing to the count of a plan. The count is evidence of what a lost answer has bought
// only if it is known what else changes it. So it is read while nothing of ours is under way; all purchases that begin
// before the last of them has ended share that reading; and before an order is given back, the purchases in doubt lose
// their count.
type planPage struct {
	// buying are the Orders whose purchase is under way, and returning is how many orders are just being given back.
	buying    map[types.UID]types.NamespacedName
	returning int
	// returns counts the orders that were ever begun to be given back.
	returns int
	// isReading says that the first of the purchases is asking CAS for the count.
	isReading bool
	// before is the reading that the purchases share, or nil if it is no evidence any more.
	before *countReading
}

// countReading is what CAS said about a plan, and when.
type countReading struct {
	used int64
	at   metav1.MicroTime
}

// baseline is what the count of a plan is compared with for a purchase that is under way.
type baseline struct {
	counts *counts
	plan   string
	page   *planPage
	// reading is nil if there is nothing to compare the count with. returns is the page's when the purchase began.
	reading *countReading
	returns int
	order   types.UID
}

// planKey names the plan of an account that an Order is bought from.
func planKey(order *v1alpha1.AliyunOrder) string {
	return book.AccountOfOrder(order).Key() + " " + order.Spec.Source.ResourcePlan.ProductCode
}

// Returns the page of a plan, made on first use. The caller holds the mutex.
func (b *counts) page(plan string) *planPage {
	if b.plans == nil {
		b.plans = map[string]*planPage{}
	}
	if b.plans[plan] == nil {
		b.plans[plan] = &planPage{buying: map[types.UID]types.NamespacedName{}}
	}
	return b.plans[plan]
}

// Forgets the page of a plan that nothing is done to. The caller holds the mutex.
func (b *counts) close(plan string, page *planPage) {
	if len(page.buying) == 0 && page.returning == 0 {
		delete(b.plans, plan)
	}
}

// Says that an Order is about to buy. Calls read for the count of its plan, unless another purchase that is under way
// has read it. Returns nil if the purchase has to wait for somebody else's call. The caller calls End once the answer
// is written.
func (b *counts) beginPurchase(order *v1alpha1.AliyunOrder, now time.Time,
	read func() (used int, err error)) (*baseline, error) {
	plan := planKey(order)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	page := b.page(plan)
	if page.returning > 0 || page.isReading {
		return nil, nil
	}
	isFirst := len(page.buying) == 0
	page.buying[order.UID] = client.ObjectKeyFromObject(order)
	p := &baseline{counts: b, plan: plan, page: page, reading: page.before, returns: page.returns, order: order.UID}
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

// Says whether the count can still be compared with the reading of the purchase.
func (p *baseline) says() bool {
	p.counts.mutex.Lock()
	defer p.counts.mutex.Unlock()
	return p.reading != nil && p.returns == p.page.returns
}

// End says that the purchase is over.
func (p *baseline) End() {
	p.counts.mutex.Lock()
	defer p.counts.mutex.Unlock()
	delete(p.page.buying, p.order)
	p.counts.close(p.plan, p.page)
}

// Says that an order of a plan is about to be given back, which may lower the count. Before it returns, all purchases
// of the plan in doubt, and those under way, lose their count. The caller calls end after the call.
func (s *Source) beginReturn(ctx context.Context, order *v1alpha1.AliyunOrder) (end func(), err error) {
	plan, b := planKey(order), &s.counts
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
	doubtful, err := s.doubtsOfPlan(ctx, order)
	for _, key := range append(doubtful, under...) {
		if err == nil {
			err = s.forgetCount(ctx, key)
		}
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// Returns the Orders in doubt that have a count, and may have bought from the plan of this order.
func (s *Source) doubtsOfPlan(ctx context.Context,
	order *v1alpha1.AliyunOrder) ([]types.NamespacedName, error) {
	list, self := &v1alpha1.AliyunOrderList{}, book.AccountOfOrder(order)
	product := client.MatchingFields{fieldProductCode: order.Spec.Source.ResourcePlan.ProductCode}
	if err := s.Kube.List(ctx, list, product, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var keys []types.NamespacedName
	for i := range list.Items {
		other := &list.Items[i]
		hasCount := book.InDoubt(other) && evidenceOf(other.Status.Submission).UsedCount != nil
		if hasCount && other.UID != order.UID && self.To(book.AccountOfOrder(other)) != book.OtherAccount {
			keys = append(keys, client.ObjectKeyFromObject(other))
		}
	}
	return keys, nil
}

// Takes the count of its plan from a purchase in doubt.
func (s *Source) forgetCount(ctx context.Context, key types.NamespacedName) error {
	order := &v1alpha1.AliyunOrder{}
	if err := s.APIReader.Get(ctx, key, order); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !book.InDoubt(order) || evidenceOf(order.Status.Submission).UsedCount == nil {
		return nil
	}
	next := order.DeepCopy()
	left := evidenceOf(next.Status.Submission)
	left.UsedCount, left.UsedCountAt = nil, nil
	setEvidence(next.Status.Submission, left)
	err := s.Kube.Status().Patch(ctx, next, client.MergeFromWithOptions(order, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
