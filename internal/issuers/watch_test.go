// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/budget"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
)

// TestAnEditOfAnIssuerWakesWhatItHolds expects that a counted order wakes nothing: each purchase would wake all others.
func TestAnEditOfAnIssuerWakesWhatItHolds(t *testing.T) {
	ready := func(change func(*v1alpha1.AliyunIssuer)) *v1alpha1.AliyunIssuer {
		issuer := &v1alpha1.AliyunIssuer{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
		issuer.Status.ObservedGeneration = 1
		issuer.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
		change(issuer)
		return issuer
	}
	as := func(*v1alpha1.AliyunIssuer) {}
	edited := func(i *v1alpha1.AliyunIssuer) {
		i.Generation, i.Spec.Orders = 2, &v1alpha1.OrderPolicy{Budget: &v1alpha1.OrderBudget{
			Issuer: v1alpha1.OrderLimits{PerDay: new(int32(7))}}}
	}
	checked := func(i *v1alpha1.AliyunIssuer) { edited(i); i.Status.ObservedGeneration = 2 }
	charged := func(i *v1alpha1.AliyunIssuer) {
		budget.CountOrder(i, budget.Demand{Order: "a", Names: "b"}, certs.Start)
	}
	for name, test := range map[string]struct {
		before, after func(*v1alpha1.AliyunIssuer)
		want          bool
	}{
		"an edit": {as, edited, true}, "its check": {edited, checked, true}, "a purchase": {as, charged, false},
	} {
		if got := readinessChanged().Update(
			event.UpdateEvent{ObjectOld: ready(test.before), ObjectNew: ready(test.after)}); got != test.want {
			t.Errorf("%s wakes others: %t", name, got)
		}
	}
}
