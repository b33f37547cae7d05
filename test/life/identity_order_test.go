// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// TestAChangedSecretIsUsedByAnOrderThatIsHoursOld waits until both the order and its issuer have met the old key.
func TestAChangedSecretIsUsedByAnOrderThatIsHoursOld(t *testing.T) {
	options := withRoles(t)
	options.CADelay = 5 * time.Hour
	e, id := bought(t, options)
	e.Pass(2 * time.Hour)
	e.Simulator.RotateKey(cassim.DefaultKeyID, cassim.Key{ID: "the-next-key", Secret: "the-next-secret"})
	e.Pass(15 * time.Minute)
	if heldFor(e) != v1alpha1.ReasonCredentialsRefused || readyOf(e).Reason != v1alpha1.ReasonCredentialsRefused {
		t.Fatalf("the old key is gone, and nobody says so: %s", said(e))
	}
	before := len(e.Simulator.Requests())
	e.Pass(10 * time.Minute)
	// The order looks every 25 to 30 seconds, and the issuer is checked every 40.
	if calls := len(e.Simulator.Requests()) - before; calls > 25+16 {
		t.Errorf("%d calls were made in 10 minutes with a key that is refused", calls)
	}
	replaceKey(e, "the-next-key", "the-next-secret")
	e.Until(30*time.Second, func() bool { return heldFor(e) != v1alpha1.ReasonCredentialsRefused })
	e.Until(30*time.Second, func() bool { return readyOf(e).Status == metav1.ConditionTrue })
	e.Until(4*time.Hour, isReady(e))
	billed(t, e, 1)
	if got := onlyOrder(t, e).Status.OrderID; got != id {
		t.Errorf("the order is %s now, and was %s", got, id)
	}
}

// TestAnOrderIsNotLostInAnotherAccount gives the issuer a key of another account for hours, where CAS does not know the
// order.
func TestAnOrderIsNotLostInAnotherAccount(t *testing.T) {
	options := withRoles(t)
	options.CADelay = 4 * time.Hour
	e, id := bought(t, options)
	replaceKey(e, otherKey, otherSecret)
	e.Pass(3 * time.Hour)
	if heldFor(e) != v1alpha1.ReasonAccountChanged {
		t.Errorf("the order is held for %s: %s", heldFor(e), said(e))
	}
	if is := theIssuer(e).Status.Identity; is == nil || is.AccountID != otherAccount {
		t.Errorf("the issuer says that it is %+v", is)
	}
	replaceKey(e, cassim.DefaultKeyID, cassim.DefaultKeySecret)
	e.Until(2*time.Hour, isReady(e))
	billed(t, e, 1)
	if calls := e.Simulator.CallsFor(id); calls["CancelOrderRequest"]+calls["DeleteCertificateRequest"] > 0 {
		t.Errorf("the order was given back: %v", calls)
	}
}

// TestAnIssuerStaysReadyWhereSTSCannotBeAsked has nothing that needs STS but the name of the account, which it keeps.
func TestAnIssuerStaysReadyWhereSTSCannotBeAsked(t *testing.T) {
	e := ordered(t, cassim.Options{CADelay: time.Hour})
	e.Settle()
	before := theIssuer(e).Status
	e.Simulator.Inject(cassim.Fault{Action: "GetCallerIdentity", Kind: cassim.DropReply, Times: -1})
	e.Until(2*time.Hour, isReady(e))
	after := theIssuer(e).Status
	if is := readyOf(e); is != *meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReady) {
		t.Errorf("the issuer became %+v", is)
	}
	if before.Identity == nil || after.Identity == nil || *after.Identity != *before.Identity {
		t.Errorf("the issuer was %+v, and is %+v", before.Identity, after.Identity)
	}
	billed(t, e, 1)
}

// TestAPermissionToOrderThatIsTakenAwayShowsAtTheIssuerUntilItIsBack is for the verb that no check can try.
func TestAPermissionToOrderThatIsTakenAwayShowsAtTheIssuerUntilItIsBack(t *testing.T) {
	e := ordered(t, cassim.Options{})
	e.Simulator.DenyAction(cassim.DefaultKeyID, create)
	granted := func() metav1.Condition {
		return *meta.FindStatusCondition(theIssuer(e).Status.Conditions, v1alpha1.ConditionPermissionsGranted)
	}
	e.Until(12*time.Minute, func() bool { return granted().Reason == v1alpha1.ReasonPermissionRefused })
	if granted().Status != metav1.ConditionFalse || heldFor(e) != v1alpha1.ReasonPermissionDenied {
		t.Errorf("the issuer says %+v: %s", granted(), said(e))
	}
	billed(t, e, 0)
	e.Simulator.AllowAction(cassim.DefaultKeyID, create)
	e.Until(13*time.Minute, isReady(e))
	e.Until(12*time.Minute, func() bool { return readyOf(e).Status == metav1.ConditionTrue })
	if granted().Status != metav1.ConditionTrue {
		t.Errorf("the issuer says %+v", granted())
	}
	billed(t, e, 1)
}
