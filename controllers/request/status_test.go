// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// TestARequestShowsWhatItsOrderSays expects one sentence for each state, and a failed request only once the order has
// been given back.
func TestARequestShowsWhatItsOrderSays(t *testing.T) {
	ready := []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: "Why", Message: "so it is"}}
	chain := []byte("a chain")
	for name, test := range map[string]struct {
		status          v1alpha1.OrderStatus
		reason, message string
	}{
		"it is made": {v1alpha1.OrderStatus{}, "Pending", `the AliyunOrder "www-1" is being submitted to CAS`},
		"submitted": {v1alpha1.OrderStatus{OrderID: "7", State: v1alpha1.OrderStateValidating, Conditions: ready},
			"Pending",
			`CAS order 7 is under way: the AliyunOrder "www-1" shows how far it is`},
		"held": {v1alpha1.OrderStatus{State: v1alpha1.OrderStateHeld, Conditions: ready}, "Pending",
			`the AliyunOrder "www-1" is held (Why): so it is`},
		"being given back": {v1alpha1.OrderStatus{Release: &v1alpha1.OrderRelease{}, Conditions: ready}, "Pending",
			`the AliyunOrder "www-1" is being given back`},
		"given back": {v1alpha1.OrderStatus{Release: &v1alpha1.OrderRelease{Outcome: v1alpha1.Released},
			Conditions: ready},
			"Failed", `the AliyunOrder "www-1" has failed: so it is`},
		"given back, and nothing is told yet": {v1alpha1.OrderStatus{Release: &v1alpha1.OrderRelease{
			Outcome: v1alpha1.Released}}, "Pending", `the AliyunOrder "www-1" is being given back`},
		"issued": {v1alpha1.OrderStatus{OrderID: "7", Certificate: chain, Conditions: ready}, "Issued",
			"CAS order 7 is issued"},
		"issued, though it was to be given back": {v1alpha1.OrderStatus{OrderID: "7", Certificate: chain,
			Release: &v1alpha1.OrderRelease{Outcome: v1alpha1.NothingToRelease}, Conditions: ready}, "Issued",
			"CAS order 7 is issued"},
	} {
		t.Run(name, func(t *testing.T) {
			order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Name: "www-1"}, Status: test.status}
			order.Spec.RequestRef.UID = "mine"
			got := mirror(order, &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{UID: "mine"}})
			compare.Same(t, []string{got.reason, got.message}, []string{test.reason, test.message})
			compare.Same(t, string(got.certificate), string(test.status.Certificate))
			other := mirror(order, &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{UID: "other"}})
			compare.Same(t, other.message, `the AliyunOrder "www-1" belongs to another request: delete it`)
			compare.Same(t, other.certificate, []byte(nil))
		})
	}
}
