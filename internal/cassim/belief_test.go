// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestAnOrderMayTellPayedAtFirst(t *testing.T) {
	w := start(t, cassim.Options{Knobs: cassim.Knobs{FirstState: cassim.StatePayed}})
	id := w.order("example.com")
	if told := w.describe(id); told.Type != cassim.StatePayed || told.RecordValue != "" {
		t.Errorf("it tells %+v", told)
	}
	if order, _ := w.Order(id); order.State != cassim.StateDomainVerify {
		t.Errorf("it is in state %s", order.State)
	}
	w.pass(2 * time.Minute)
	w.wantState(id, cassim.StateDomainVerify)
}

func TestABuyDateMayBeThatOfThePlan(t *testing.T) {
	w := start(t, cassim.Options{Knobs: cassim.Knobs{BuyDate: cassim.BuyDateOfPlan}})
	w.order("example.com")
	w.pass(time.Hour)
	w.order("example.com")
	items := w.list(nil).CertificateOrderList
	if items[0].BuyDate != items[1].BuyDate || time.UnixMilli(items[0].BuyDate).After(began.Add(-48*time.Hour)) {
		t.Errorf("bought at %d and at %d", items[0].BuyDate, items[1].BuyDate)
	}
}

// TestAValueMayBeRenewed publishes each value only for as long as it is wanted.
func TestAValueMayBeRenewed(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: 10 * time.Minute, CADelay: time.Hour,
		Knobs: cassim.Knobs{ProofValue: "30m"}})
	id := w.order("example.com")
	first := w.describe(id).RecordValue
	w.pass(25 * time.Minute)
	w.publish(id) // too late: the CA would look in 10 minutes
	w.pass(20 * time.Minute)
	w.wantState(id, cassim.StateDomainVerify)
	if second := w.describe(id).RecordValue; second == first {
		t.Errorf("the value is still %q", second)
	}
	w.publish(id)
	w.wantState(id, cassim.StateDomainVerify)
	w.pass(time.Hour) // the value has ended long since, but the CA saw it in time
	w.wantState(id, cassim.StateProcess)
}
