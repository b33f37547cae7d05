// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

const allowDelete = "allow alidns:DeleteDomainRecord to the RAM user or role in a RAM policy"

// unremovable is an issued order whose record RAM does not let anybody delete.
func unremovable(t *testing.T) *env.Env {
	t.Helper()
	e := ordered(t, cassim.Options{})
	e.Simulator.DenyAction(cassim.DefaultKeyID, deleteRecord)
	e.Until(time.Hour, isReady(e))
	e.Pass(2 * time.Minute)
	return e
}

func cleanedUp(t *testing.T, e *env.Env) metav1.Condition {
	t.Helper()
	found := meta.FindStatusCondition(onlyOrder(t, e).Status.Conditions, v1alpha1.ConditionCleanedUp)
	if found == nil {
		t.Fatal("the order does not say that its record is left")
	}
	return *found
}

func permitted(e *env.Env) metav1.Condition {
	e.T.Helper()
	return *meta.FindStatusCondition(theIssuer(e).Status.Conditions, v1alpha1.ConditionPermissionsGranted)
}

// TestARecordThatMayNotBeRemovedIsToldWhileItIsTried mends it in time.
func TestARecordThatMayNotBeRemovedIsToldWhileItIsTried(t *testing.T) {
	e := unremovable(t)
	if is := cleanedUp(t, e); is.Status != metav1.ConditionFalse || is.Reason != v1alpha1.ReasonPermissionDenied ||
		!strings.Contains(is.Message, allowDelete) ||
		!strings.Contains(is.Message, `the TXT record "_dnsauth.www.example.com" is not removed yet, which is tried `+
			`for 10 minutes`) {
		t.Errorf("the order says %+v", is)
	}
	if is := permitted(e); is.Status != metav1.ConditionFalse || is.Reason != v1alpha1.ReasonZoneRefused ||
		!strings.Contains(is.Message, allowDelete) {
		t.Errorf("the issuer says %+v", is)
	}
	if is := readyOf(e); is.Status != metav1.ConditionTrue {
		t.Errorf("the issuer is not ready: %+v", is)
	}
	e.Simulator.AllowAction(cassim.DefaultKeyID, deleteRecord)
	e.Pass(2 * time.Minute)
	if is := cleanedUp(t, e); is.Status != metav1.ConditionTrue || len(e.Simulator.Records(cassim.DefaultZone)) > 0 {
		t.Errorf("the order says %+v, and left are %+v", is, e.Simulator.Records(cassim.DefaultZone))
	}
	if is := permitted(e); is.Status != metav1.ConditionTrue {
		t.Errorf("the issuer says %+v", is)
	}
}

// TestARecordThatIsLeftForGoodIsToldUntilAnotherIsRemoved mends it too late.
func TestARecordThatIsLeftForGoodIsToldUntilAnotherIsRemoved(t *testing.T) {
	e := unremovable(t)
	e.Pass(30 * time.Minute)
	const byHand = `the TXT record "_dnsauth.www.example.com" could not be removed, remove it by hand: `
	if is := cleanedUp(t, e); is.Status != metav1.ConditionFalse || !strings.HasPrefix(is.Message, byHand) ||
		!strings.Contains(is.Message, allowDelete) {
		t.Errorf("the order says %+v", is)
	}
	if text := strings.Join(e.Events(), "\n"); !strings.Contains(text, "CleanUpFailed "+byHand) ||
		!strings.Contains(text, allowDelete) {
		t.Errorf("nobody is told: %s", text)
	}
	if order := onlyOrder(t, e); len(order.Finalizers) > 0 || permitted(e).Status != metav1.ConditionFalse {
		t.Errorf("finalizers are %q, and the issuer says %+v", order.Finalizers, permitted(e))
	}
	e.Simulator.AllowAction(cassim.DefaultKeyID, deleteRecord)
	ask(e, "shop", "shop")
	e.Pass(10 * time.Minute)
	if is := permitted(e); is.Status != metav1.ConditionTrue {
		t.Errorf("the issuer says %+v", is)
	}
}
