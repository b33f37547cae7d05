// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"slices"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
)

// Files are the validation files that Orders wait for.
type Files struct {
	// Orders reads from the cache, which every replica has.
	Orders client.Reader
}

// Content implements httpfile.Files. CAS may name the same path for each order of a host: the oldest is served first,
// and the next once that one is validated.
func (f *Files) Content(ctx context.Context, host, path string) (content string, ok bool) {
	orders := &v1alpha1.AliyunOrderList{}
	if err := f.Orders.List(ctx, orders, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "the Orders that wait for a file could not be listed")
		return "", false
	}
	var oldest *v1alpha1.AliyunOrder
	for i := range orders.Items {
		order := &orders.Items[i]
		if !waitsForFile(order, host, path) {
			continue
		}
		if oldest == nil || book.IsOlder(order, oldest) {
			oldest = order
		}
	}
	if oldest == nil {
		return "", false
	}
	return oldest.Status.Validation.RecordValue, true
}

func waitsForFile(order *v1alpha1.AliyunOrder, host, path string) bool {
	v, status := order.Status.Validation, order.Status
	return v != nil && v.RecordType == dcv.TypeFile && v.Ownership == v1alpha1.RecordOurs && v.CleanedUpAt == nil &&
		v.Zone == path &&
		len(status.Certificate) == 0 && status.Release == nil && status.HandedOverTo == "" &&
		slices.Contains(httpfile.Hosts(v.FQDN), host)
}
