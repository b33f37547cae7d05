// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func withCondition(kind, reason string, state v1alpha1.OrderState) *v1alpha1.AliyunOrder {
	return &v1alpha1.AliyunOrder{Status: v1alpha1.OrderStatus{
		State: state, Conditions: []metav1.Condition{{Type: kind, Status: metav1.ConditionFalse, Reason: reason}},
	}}
}

// TestAnOrderTellsItsIssuerWhatItMetWith has what a check of an issuer can show the end of, and what RAM has refused.
func TestAnOrderTellsItsIssuerWhatItMetWith(t *testing.T) {
	held, validating := v1alpha1.OrderStateHeld, v1alpha1.OrderStateValidating
	for name, test := range map[string]struct {
		order          *v1alpha1.AliyunOrder
		refusal, shown string
	}{
		"nothing":            {&v1alpha1.AliyunOrder{}, "", ""},
		"a permission":       {withCondition("Ready", "PermissionDenied", held), "Ready", ""},
		"an exhausted plan":  {withCondition("Ready", "QuotaExhausted", held), "", "QuotaExhausted"},
		"what it was before": {withCondition("Ready", "QuotaExhausted", validating), "", ""},
		"a doubt":            {withCondition("Ready", "AmbiguousSubmission", held), "", ""},
		"a record not to be removed, and no record": {
			withCondition("CleanedUp", "PermissionDenied", v1alpha1.OrderStateIssued), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if refusal := Refusal(test.order); refusal != nil {
				got = refusal.Type
			}
			compare.Same(t, []string{got, ShownByCheck(test.order)}, []string{test.refusal, test.shown})
		})
	}
	left := withCondition("CleanedUp", "PermissionDenied", v1alpha1.OrderStateIssued)
	left.Status.Validations = []v1alpha1.OrderValidation{{}}
	compare.Same(t, Refusal(left).Type, "CleanedUp")
	compare.Same(t, WithoutNextLook("why. "+Looked+"a minute"), "why")
	compare.Same(t, WithoutNextLook("why"), "why")
}
