// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package orders is what the reconcilers of requests, Orders and issuers have to agree on about an AliyunOrder: which
// of them this process has made, by which name it is looked for, and what others read in its status.
package orders

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Refusal is the condition of an Order that tells which permission is missing, or nil.
func Refusal(order *v1alpha1.AliyunOrder) *metav1.Condition {
	if IsRefused(order) {
		return meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	}
	left := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionCleanedUp)
	if left != nil && left.Reason == v1alpha1.ReasonPermissionDenied && len(order.Status.Validations) > 0 {
		return left
	}
	return nil
}

// IsRefused says that an Order is held because a permission is missing.
func IsRefused(order *v1alpha1.AliyunOrder) bool {
	ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonPermissionDenied
}

// IsShownByCheck says whether a check of an issuer shows the end of a reason for which its Orders are held. While an
// Order is held for such a reason, its issuer is checked often.
func IsShownByCheck(reason string) bool {
	switch reason {
	case v1alpha1.ReasonQuotaExhausted, v1alpha1.ReasonReservedForRenewals, v1alpha1.ReasonNoPackage,
		v1alpha1.ReasonClockSkew, v1alpha1.ReasonCredentialsRefused:
		return true
	default:
		return false
	}
}

// ShownByCheck returns the reason that an Order is held for, if a check of its issuer shows the end of it, or "".
func ShownByCheck(order *v1alpha1.AliyunOrder) string {
	ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || order.Status.State != v1alpha1.OrderStateHeld || !IsShownByCheck(ready.Reason) {
		return ""
	}
	return ready.Reason
}

// Looked begins the sentence in which an Order says when it is looked at next, if no watch wakes it before.
const Looked = "This AliyunOrder is looked at again within "

// WithoutNextLook returns a message of an Order without that sentence, for use elsewhere and later: by then the next
// look may be another one.
func WithoutNextLook(message string) string {
	cause, _, _ := strings.Cut(message, ". "+Looked)
	return cause
}
