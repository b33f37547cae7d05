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
		wanted, isWaiting := fileOf(order, host, path)
		if isWaiting && (oldest == nil || book.IsOlder(order, oldest)) {
			oldest, content = order, wanted
		}
	}
	return content, oldest != nil
}

// Returns the content of the file that an order waits for in a place.
func fileOf(order *v1alpha1.AliyunOrder, host, path string) (content string, isWaiting bool) {
	status := order.Status
	if len(status.Certificate) > 0 || status.Release != nil || status.HandedOverTo != "" {
		return "", false
	}
	var ours []dcv.Record
	for i := range status.Validations {
		if v := &status.Validations[i]; v.RecordType == dcv.TypeFile && isOurs(*v) {
			ours = append(ours, recordOf(v))
		}
	}
	at := slices.IndexFunc(ours, func(rec dcv.Record) bool { return httpfile.Serves(rec, ours, host, path) })
	if at < 0 {
		return "", false
	}
	return ours[at].Value, true
}
