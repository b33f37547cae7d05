// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"fmt"
	"slices"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// MayHaveOrder says whether an Order has an order at CAS, or may have bought one.
func MayHaveOrder(order *v1alpha1.AliyunOrder) bool {
	return order.Status.OrderID != "" || order.Status.Submission != nil
}

// InDoubt says whether an Order may have bought something without having its id.
func InDoubt(order *v1alpha1.AliyunOrder) bool {
	status := order.Status
	return status.Submission != nil && status.OrderID == "" && status.HandedOverTo == "" &&
		(status.Release == nil || status.Release.Outcome == "")
}

// IsOlder says whether a was made before b. It decides alike on every replica.
func IsOlder(a, b *v1alpha1.AliyunOrder) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.UID < b.UID
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}

// Mention names an Order to the reader of another one. It names none of another namespace, which may be somebody
// else's.
func Mention(other, reader *v1alpha1.AliyunOrder) string {
	if other.Namespace != reader.Namespace {
		return "an AliyunOrder of another namespace"
	}
	return fmt.Sprintf("the AliyunOrder %q", other.Name)
}

// maxExcluded is how many ids an Order remembers that are not its own.
const maxExcluded = 64

// Exclude remembers an id that is not this order's, once. If there are too many, it forgets the oldest, which may then
// be looked at again.
func Exclude(status *v1alpha1.OrderStatus, id string) {
	if slices.Contains(status.ExcludedOrderIDs, id) {
		return
	}
	ids := &status.ExcludedOrderIDs
	*ids = append(*ids, id)
	*ids = (*ids)[max(len(*ids)-maxExcluded, 0):]
}

// SameIntent says whether a stored intent is this one. It compares only what never changes once it is written: evidence
// may be taken out again.
func SameIntent(stored *v1alpha1.OrderSubmission, intent v1alpha1.OrderSubmission) bool {
	if stored == nil || stored.Attempt != intent.Attempt || !stored.StartedAt.Equal(&intent.StartedAt) {
		return false
	}
	if stored.Instance != nil && intent.Instance != nil && *stored.Instance != *intent.Instance {
		return false
	}
	a, b := stored.ResourcePlan, intent.ResourcePlan
	return a == nil || b == nil || a.UsedCountAt == nil || b.UsedCountAt == nil || a.UsedCountAt.Equal(b.UsedCountAt)
}
