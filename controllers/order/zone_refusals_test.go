// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

func TestARefusedZoneHoldsOthersUntilSomebodyGetsThrough(t *testing.T) {
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	isHeld := func(z *zoneRefusals, key string, at time.Time) bool {
		return z.holds(key, "second", at).kind == outcomeHold
	}
	learned := func() *zoneRefusals {
		z := &zoneRefusals{}
		z.refused("zone", "example.com", addRecord, "first", now)
		return z
	}
	z := learned()
	if !isHeld(z, "zone", now) || isHeld(z, "another zone", now) {
		t.Error("it is not held by its own zone alone")
	}
	z.published("zone")
	if isHeld(z, "zone", now) {
		t.Error("it is held though another got through")
	}
	z = learned()
	z.refused("zone", "example.com", addRecord, "first", now.Add(holdLongest))
	if !isHeld(z, "zone", now.Add(refusalHolds)) {
		t.Error("what was refused again is forgotten")
	}
	late := now.Add(2 * refusalHolds)
	if isHeld(z, "zone", late) || !isHeld(z, "zone", late) {
		t.Error("what nobody has met with for long is not tried by one order alone")
	}
	if isHeld(z, "zone", late.Add(refusalHolds)) {
		t.Error("one that is let pass and never comes back holds all others for good")
	}
	z = learned()
	z.refused("zone", "example.com", addRecord, "third", now)
	z.forget("third", now)
	if !isHeld(z, "zone", now) {
		t.Error("an order that is gone takes the other's refusal with it")
	}
	z.forget("first", now)
	if isHeld(z, "zone", now) || !isHeld(z, "zone", now) {
		t.Error("when nobody is left who tries, not one order alone does")
	}
	z.forget("second", now.Add(3*refusalHolds))
	if len(z.known)+len(z.waiting) > 0 {
		t.Errorf("remembered are %v and %v", z.known, z.waiting)
	}
}

func TestAnOrderThatWaitsForAZoneLooksAgainForNothing(t *testing.T) {
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	run := &orderRun{order: &v1alpha1.AliyunOrder{}, now: now}
	run.order.UID = "second"
	z := &zoneRefusals{}
	if z.stillHolds(run).endsRun() {
		t.Error("it is held by nothing")
	}
	z.refused("zone", "example.com", addRecord, "first", now)
	if z.stillHolds(run).endsRun() {
		t.Error("it is held by a zone that it never asked for")
	}
	z.holds("zone", "second", now)
	if end := z.stillHolds(run); end.kind != outcomeHold || end.reason != v1alpha1.ReasonZoneRefused ||
		end.after > time.Minute {
		t.Errorf("got %+v", end)
	}
	z.published("zone")
	if z.stillHolds(run).endsRun() {
		t.Error("it does not look for itself")
	}
}
