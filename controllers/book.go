// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// The fields that Orders are found by, in the cache and past it alike: the CRD makes them selectable.
const (
	fieldBaseName    = "spec.baseName"
	fieldProductCode = "spec.source.resourcePlan.productCode"
	fieldOrderID     = "status.orderID"
	fieldRecord      = "status.validation.fqdn"
)

// book is where it stands who owns what at CAS: which Order holds an id, which purchase is in doubt, and what a plan was
// used for. It remembers nothing that would have to survive a restart: it reads the Orders themselves, by the name, id or
// product that is asked for, past the cache wherever money depends on the answer. What it keeps in memory are claims:
// what is found out under a claim stays true until the claim is given up, because nobody else in this process can change
// it, and the leader's lease keeps other processes out. The zero value is ready to use.
type book struct {
	mutex sync.Mutex
	names map[string]bool
	plans map[string]*planPage
}

// claim reserves a name in an account, from the first look at what was bought for it until an intent or an id is written.
// It returns false where somebody else has it: the work can wait, a worker should not.
func (b *book) claim(of account, baseName string) (release func(), isFree bool) {
	key := of.key() + " " + baseName
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.names[key] {
		return nil, false
	}
	if b.names == nil {
		b.names = map[string]bool{}
	}
	b.names[key] = true
	return func() {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		delete(b.names, key)
	}, true
}

// busy is how long to wait for a claim, or for a call of somebody else's to end.
const busy = 2 * time.Second

// namePage is what the Orders of others say about one name.
type namePage struct {
	self   account
	orders []v1alpha1.AliyunOrder
}

// open reads all other Orders for the name of an Order, past the cache.
func open(ctx context.Context, from client.Reader, order *v1alpha1.AliyunOrder) (*namePage, error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := from.List(ctx, list, client.MatchingFields{fieldBaseName: order.Spec.BaseName}); err != nil {
		return nil, err
	}
	page := &namePage{self: accountOfOrder(order)}
	for i := range list.Items {
		if other := &list.Items[i]; other.UID != order.UID && page.self.to(accountOfOrder(other)) != otherAccount {
			page.orders = append(page.orders, *other)
		}
	}
	return page, nil
}

// doubt is an Order whose purchase for the same name is in doubt: two could not be told apart in a listing. One that only
// perhaps is of the same account counts until its own listings have shown it: a stranger must not stop anybody for ever.
func (p *namePage) doubt(now time.Time, patience time.Duration) *v1alpha1.AliyunOrder {
	for i := range p.orders {
		other := &p.orders[i]
		if !isInDoubt(other) {
			continue
		}
		isFresh := now.Sub(other.Status.Submission.StartedAt.Time) < patience
		if isFresh || p.self.to(accountOfOrder(other)) == sameAccount {
			return other
		}
	}
	return nil
}

// isInDoubt says that an Order may have bought what it has no id of.
func isInDoubt(order *v1alpha1.AliyunOrder) bool {
	status := order.Status
	return status.Submission != nil && status.OrderID == "" && status.HandedOverTo == "" && (status.Release == nil || status.Release.Outcome == "")
}

// holder says who of the others has an id, if anybody has, and whether it is certain that it means the same order.
func (p *namePage) holder(id string) (found kinship) {
	for i := range p.orders {
		if p.orders[i].Status.OrderID == id {
			found = max(found, p.self.to(accountOfOrder(&p.orders[i])))
		}
	}
	return found
}
