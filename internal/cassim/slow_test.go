// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func (w *world) mustCancel(id string) {
	w.t.Helper()
	if err := w.cancel(id); err != nil {
		w.t.Fatal(err)
	}
}

func TestAFrozenOrderStaysInItsStateUntilItThaws(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	id := w.order("example.com")
	w.Freeze(id)
	w.publish(id)
	w.pass(100 * time.Hour)
	w.wantState(id, cassim.StateDomainVerify)
	w.ForceState(id, cassim.StateProcess)
	w.pass(100 * time.Hour)
	w.wantState(id, cassim.StateProcess)
	w.mustCancel(id)
	w.wantState(id, cassim.StateProcess)
	w.Thaw(id)
	w.wantState(id, cassim.StatePayed)

	other := w.order("shop.example.com")
	w.Freeze(other)
	w.publish(other)
	w.pass(48 * time.Hour)
	w.wantState(other, cassim.StateDomainVerify)
	seen := w.clock.Now().Add(-48 * time.Hour)
	w.Thaw(other)
	w.wantState(other, cassim.StateCertificate)
	if view, _ := w.Order(other); !view.ValidatedAt.Equal(seen) || !view.IssuedAt.Equal(seen.Add(time.Hour)) {
		t.Errorf("what it missed is dated %v and %v", view.ValidatedAt, view.IssuedAt)
	}
}

func TestAReviewFailsForAReason(t *testing.T) {
	w := start(t, cassim.Options{Knobs: cassim.Knobs{VerifyFailReason: cassim.Present}})
	id := w.order("example.com")
	w.FailReview(id, "the domain is on a list")
	w.publish(id)
	w.pass(time.Hour)
	told := w.describe(id)
	if told.Type != cassim.StateVerifyFail ||
		!strings.Contains(told.GetHttpContentString(), `"FailReason":"the domain is on a list"`) {
		t.Errorf("told: %s", told.GetHttpContentString())
	}
	w.SetKnobs(func(k *cassim.Knobs) { k.VerifyFailReason = cassim.Absent })
	if text := w.describe(id).GetHttpContentString(); strings.Contains(text, "list") {
		t.Errorf("told: %s", text)
	}
}

func TestStatesGoBackwards(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	id := w.order("example.com")
	w.ForceState(id, cassim.StateCertificate)
	first := w.describe(id).Certificate
	w.ForceState(id, cassim.StateProcess)
	if told := w.describe(id); told.Type != cassim.StateProcess || told.Certificate != "" {
		t.Errorf("told: %+v", told)
	}
	w.ForceState(id, cassim.StateDomainVerify)
	if told := w.describe(id); told.Type != cassim.StateDomainVerify || told.RecordValue == "" {
		t.Errorf("told: %+v", told)
	}
	w.ForceState(id, cassim.StateProcess)
	w.pass(time.Hour)
	if told := w.describe(id); told.Type != cassim.StateCertificate || told.Certificate == first {
		t.Errorf("it is %s again with the old certificate", told.Type)
	}
}

func TestACAIssuesThoughTheCancellationWasAccepted(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	id, honest := w.order("example.com"), w.order("shop.example.com")
	w.publish(id)
	w.publish(honest)
	w.IgnoreCancel(id)
	w.mustCancel(id)
	w.mustCancel(honest)
	w.wantState(id, cassim.StateProcess)
	w.wantState(honest, cassim.StatePayed)
	w.pass(time.Hour)
	w.wantState(id, cassim.StateCertificate)
	w.wantState(honest, cassim.StatePayed)

	// the other way to issue after a cancellation: it looked cancelled first
	w.ForceState(honest, cassim.StateCertificate)
	w.wantState(honest, cassim.StateCertificate)
}

func TestAnOrderVanishesAndIsBackAgain(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	id := w.order("example.com")
	w.publish(id)
	w.Vanish(id)
	w.pass(2 * time.Hour)
	req := sdkcas.CreateDescribeCertificateStateRequest()
	req.OrderId = requests.Integer(id)
	_, err := w.cas.DescribeCertificateState(req)
	wantCode(t, err, 404, "NotFoundOrder")
	w.wantListed()
	w.Reappear(id)
	w.wantListed(id)
	w.wantState(id, cassim.StateCertificate)
	if w.UsedCount(cassim.DefaultProduct) != 1 || w.Ledger()[0].Released {
		t.Error("something was given back")
	}
}
