// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Holders returns the other Orders that hold an id in the order's account. An Order that has handed the id over does
// not count, nor does one that has ended with an instance.
func Holders(ctx context.Context, from client.Reader, order *v1alpha1.AliyunOrder,
	id string) ([]v1alpha1.AliyunOrder, error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := from.List(ctx, list, client.MatchingFields{FieldOrderID: id}); err != nil {
		return nil, err
	}
	self := AccountOfOrder(order)
	var found []v1alpha1.AliyunOrder
	for i := range list.Items {
		other := &list.Items[i]
		isHolder := other.UID != order.UID && other.Status.OrderID == id && other.Status.HandedOverTo == "" &&
			!hasLeft(other)
		if isHolder && self.To(AccountOfOrder(other)) == SameAccount {
			found = append(found, *other)
		}
	}
	return found, nil
}
