// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Page is what the other Orders say about one name.
type Page struct {
	self   Account
	uid    types.UID
	orders []v1alpha1.AliyunOrder
}

// Open reads all other Orders for the base name of an Order, past the cache. It leaves out those of other accounts.
func Open(ctx context.Context, from client.Reader, order *v1alpha1.AliyunOrder) (*Page, error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := from.List(ctx, list, client.MatchingFields{FieldBaseName: order.Spec.BaseName}); err != nil {
		return nil, err
	}
	page := &Page{self: AccountOfOrder(order), uid: order.UID}
	for i := range list.Items {
		if other := &list.Items[i]; other.UID != order.UID && page.self.To(AccountOfOrder(other)) != OtherAccount {
			page.orders = append(page.orders, *other)
		}
	}
	return page, nil
}

// Doubt returns an Order whose purchase for the same name is in doubt, or nil: two doubts could not be told apart in a
// listing. The doubt of an Order that is only perhaps of the same account counts only for as long as patience: by then,
// its own search has shown what it has bought, and a stranger must not stop anybody for ever.
func (p *Page) Doubt(now time.Time, patience time.Duration) *v1alpha1.AliyunOrder {
	for i := range p.orders {
		other := &p.orders[i]
		if !InDoubt(other) && !p.isOnItsWay(other) {
			continue
		}
		isFresh := now.Sub(other.Status.Submission.StartedAt.Time) < patience
		if isFresh || p.self.To(AccountOfOrder(other)) == SameAccount {
			return other
		}
	}
	return nil
}

// Says whether an Order has handed its doubt over, and no heir has written it down: the heir is about to, or is gone.
func (p *Page) isOnItsWay(old *v1alpha1.AliyunOrder) bool {
	status := old.Status
	if status.HandedOverTo == "" || status.HandedOverTo == p.uid || status.Submission == nil || status.OrderID != "" {
		return false
	}
	return !slices.ContainsFunc(p.orders, func(heir v1alpha1.AliyunOrder) bool {
		return heir.UID == status.HandedOverTo && MayHaveOrder(&heir)
	})
}

// HasRival says whether another Order for the same name is in doubt, too, and may have bought the same, by isAlike:
// then one order at CAS may belong to either. Nobody buys while another one is in doubt, but an Order falls back into
// its own doubt if the order that it presumed to be its turns out to be somebody else's.
func (p *Page) HasRival(isAlike func(other *v1alpha1.AliyunOrder) bool) bool {
	return slices.ContainsFunc(p.orders, func(other v1alpha1.AliyunOrder) bool {
		return InDoubt(&other) && isAlike(&other) && p.self.To(AccountOfOrder(&other)) == SameAccount
	})
}

// Holder says how the other Orders that hold an id are related to this one's account: SameAccount if it certainly means
// the same order, OtherAccount if nobody holds it.
func (p *Page) Holder(id string) (found Kinship) {
	for i := range p.orders {
		if p.orders[i].Status.OrderID == id {
			found = max(found, p.self.To(AccountOfOrder(&p.orders[i])))
		}
	}
	return found
}
