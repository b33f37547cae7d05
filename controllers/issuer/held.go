// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"slices"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// Returns the reasons for which Orders that are not submitted yet are held, each once, as far as a check of the issuer
// shows their end.
func heldFor(all []*v1alpha1.AliyunOrder) string {
	var reasons []string
	for _, order := range all {
		if reason := orders.ShownByCheck(order); reason != "" && order.Status.OrderID == "" {
			reasons = append(reasons, reason)
		}
	}
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), " ")
}
