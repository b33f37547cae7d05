// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
)

// TestAnOrderWakesItsRequestWithNewsOnly writes what an order writes on its way.
func TestAnOrderWakesItsRequestWithNewsOnly(t *testing.T) {
	order := func(change func(*v1alpha1.OrderStatus)) *v1alpha1.AliyunOrder {
		o := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Name: "www-1"}}
		change(&o.Status)
		return o
	}
	ready := func(s *v1alpha1.OrderStatus, reason, message string) {
		s.Conditions = []metav1.Condition{
			{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, Message: message}}
	}
	fresh := func(*v1alpha1.OrderStatus) {}
	intended := func(s *v1alpha1.OrderStatus) { s.Submission = &v1alpha1.OrderSubmission{Attempt: 1} }
	underWay := func(s *v1alpha1.OrderStatus) { intended(s); s.OrderID = "1"; ready(s, v1alpha1.ReasonPending, "a") }
	validating := func(s *v1alpha1.OrderStatus) {
		underWay(s)
		s.State = v1alpha1.OrderStateValidating
		s.Validations = []v1alpha1.OrderValidation{{FQDN: "_dnsauth.example.com"}}
		ready(s, v1alpha1.ReasonValidating, "b")
	}
	held := func(s *v1alpha1.OrderStatus) {
		validating(s)
		s.State = v1alpha1.OrderStateHeld
		ready(s, v1alpha1.ReasonPresentFailed, "c")
	}
	heldAnew := func(s *v1alpha1.OrderStatus) { held(s); ready(s, v1alpha1.ReasonPresentFailed, "d") }
	issued := func(s *v1alpha1.OrderStatus) { validating(s); s.Certificate = []byte("chain") }
	cleanedUp := func(s *v1alpha1.OrderStatus) {
		issued(s)
		s.Validations[0].CleanedUpAt = &metav1.Time{Time: certs.Start}
	}
	for name, test := range map[string]struct {
		before, after func(*v1alpha1.OrderStatus)
		want          bool
	}{
		"an intent": {fresh, intended, false}, "its id": {intended, underWay, true},
		"its validation": {underWay, validating, false},
		"a hold":         {validating, held, true}, "another cause": {held, heldAnew, true},
		"an end of the hold": {held, validating, true},
		"a certificate":      {validating, issued, true}, "its clean-up": {issued, cleanedUp, false},
	} {
		if got := mirrorChanged().Update(
			event.UpdateEvent{ObjectOld: order(test.before), ObjectNew: order(test.after)}); got != test.want {
			t.Errorf("%s wakes its request: %t", name, got)
		}
	}
	if !mirrorChanged().Delete(event.DeleteEvent{Object: order(fresh)}) {
		t.Error("a request is not woken by the end of its Order")
	}
}
