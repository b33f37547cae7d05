// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestAListingGoesOnWhereItWasThrottled lets others use up every second call for listings, of which the name has four
// pages.
func TestAListingGoesOnWhereItWasThrottled(t *testing.T) {
	e, _ := withOneClock(t, cassim.Options{Knobs: cassim.Knobs{MaxShowSize: "10"}})
	e.Simulator.SetPackage(gen.Product, 100, 0)
	for n := range 35 {
		e.Simulator.AddForeignOrder(fmt.Sprintf("shop%d.example.com", n))
	}
	e.Simulator.Inject(cassim.Fault{Action: "ListUserCertificateOrder", Kind: cassim.Throttle, Every: 2, Times: -1})
	e.Until(time.Minute, func() bool {
		return strings.Contains(said(e), "CAS has throttled the calls of this "+
			"account since")
	})
	e.Until(30*time.Minute, hasCertificate(e, "www"))
	for _, condition := range orderOf(e, "www").Status.Conditions {
		if strings.Contains(condition.Message, "throttled") {
			t.Errorf("it is still told: %s", condition.Message)
		}
	}
}

// TestAThrottleIsTold lets CAS take no more calls while an order is under way.
func TestAThrottleIsTold(t *testing.T) {
	e, _ := withOneClock(t, cassim.Options{CADelay: time.Hour})
	e.Until(time.Hour, billedSoFar(e, 1))
	e.Pass(5 * time.Minute)
	e.Simulator.Inject(cassim.Fault{Action: "DescribeCertificateState", Kind: cassim.Throttle, Times: -1})
	e.Until(time.Hour, func() bool {
		return strings.Contains(said(e), "CAS has throttled the calls of this "+
			"account since")
	})
	e.Simulator.LiftFaults()
	e.Until(3*time.Hour, hasCertificate(e, "www"))
}
