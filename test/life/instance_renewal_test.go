// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// day is as long as it is.
const day = 24 * time.Hour

// renewals are what CAS may do with an instance that has issued, and with which instance the renewal ends: the same, or
// another one.
var renewals = map[string]struct {
	knobs  cassim.InstanceKnobs
	isSame bool
}{
	"at any time":                       {cassim.InstanceKnobs{}, true},
	"near the end of the certificate":   {cassim.InstanceKnobs{ReapplyOnNormal: "720h"}, true},
	"never":                             {cassim.InstanceKnobs{ReapplyOnNormal: cassim.Never}, false},
	"it is protected":                   {cassim.InstanceKnobs{UpdateOnNormal: cassim.UpdateProtected}, false},
	"it is written on, and not applied": {cassim.InstanceKnobs{UpdateOnNormal: cassim.UpdateWithoutApply}, false},
	"one certificate only":              {cassim.InstanceKnobs{ReapplyLimit: "1"}, false},
	"the old certificate is not told":   {cassim.InstanceKnobs{DetailDuringReapply: cassim.DetailEmpty}, true},
	"the new certificate is told early": {cassim.InstanceKnobs{DetailDuringReapply: cassim.DetailEarly}, true},
	"the old certificate is revoked":    {cassim.InstanceKnobs{OldCertificate: "24h"}, true},
	"the term cuts the next one":        {cassim.InstanceKnobs{NextValidity: cassim.ValidityCut}, true},
}

// TestARenewalTakesTheInstanceOfItsNames renews a certificate 20 days before it ends, with a new key and with the same,
// whatever CAS does with an instance that has issued. The first certificate's request stays until the second is there.
func TestARenewalTakesTheInstanceOfItsNames(t *testing.T) {
	for name, test := range renewals {
		for _, isKept := range []bool{false, true} {
			if isKept {
				name += ", with the same key"
			}
			t.Run(name, func(t *testing.T) {
				e, _ := withInstances(t, cassim.Options{Knobs: cassim.Knobs{InstanceKnobs: test.knobs}}, 2)
				e.OneClock()
				key := gen.Key()
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(key)))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
				e.Until(time.Hour, isReady(e))
				e.Pass(10 * time.Minute)
				first := onlyOrder(t, e).Status
				e.Clock.SetTime(first.NotAfter.Add(-20 * day))
				if !isKept {
					key = gen.Key()
				}
				e.Create(gen.Request(e.Namespace, "renewal", gen.CSR(key)))
				e.Decide("renewal", cmapi.CertificateRequestConditionApproved)
				e.Until(3*time.Hour, isIssued(e, "renewal"))
				e.Pass(10 * time.Minute)
				second := orderOf(e, "renewal").Status
				if isSame := second.OrderID == first.OrderID; isSame != test.isSame {
					t.Errorf("it is renewed with the same instance: %t", isSame)
				}
				if second.CertificateID == first.CertificateID || !second.NotAfter.After(first.NotAfter.Time) {
					t.Errorf("the renewal is %s until %s, after %s until %s", second.CertificateID, second.NotAfter,
						first.CertificateID, first.NotAfter)
				}
				wantApplications(e, "issued", "issued")
			})
		}
	}
}

// TestARenewalWithTheSameInstanceIsDeliveredAgain makes the request of a renewal again with its key. The Orders of both
// certificates are gone by then, and the instance, whose id both had, has the second one.
func TestARenewalWithTheSameInstanceIsDeliveredAgain(t *testing.T) {
	e, _ := withInstances(t, cassim.Options{}, 2)
	e.OneClock()
	ask(e, "www", "www")
	e.Until(time.Hour, isReady(e))
	e.Pass(10 * time.Minute)
	e.Clock.SetTime(onlyOrder(t, e).Status.NotAfter.Add(-20 * day))
	remove(e, e.Request("www"))
	key := gen.Key()
	renew := func(name string) []byte {
		e.Create(gen.Request(e.Namespace, name, gen.CSR(key)))
		e.Decide(name, cmapi.CertificateRequestConditionApproved)
		e.Until(3*time.Hour, isIssued(e, name))
		e.Pass(10 * time.Minute)
		return e.Request(name).Status.Certificate
	}
	renewed := renew("renewal")
	remove(e, e.Request("renewal"))
	e.Pass(10 * time.Minute)
	if again := renew("again"); string(again) != string(renewed) {
		t.Error("it has another certificate")
	}
	wantApplications(e, "issued", "issued")
	if applied := e.Simulator.Applications(); applied[0].InstanceID != applied[1].InstanceID {
		t.Errorf("the renewal is of another instance: %+v", applied)
	}
}

// TestARenewalThatIsWithdrawnLeavesTheCertificateOfBefore deletes the request of a renewal while it is under way.
func TestARenewalThatIsWithdrawnLeavesTheCertificateOfBefore(t *testing.T) {
	for _, told := range []string{cassim.CertificateKept, cassim.CertificateCleared} {
		t.Run(told, func(t *testing.T) {
			options := cassim.Options{DCVDelay: 20 * time.Minute}
			options.Knobs.CancelOfReapply = told
			e, ids := withInstances(t, options, 1)
			ask(e, "www", "www")
			e.Until(time.Hour, isReady(e))
			e.Clock.SetTime(onlyOrder(t, e).Status.NotAfter.Add(-20 * day))
			ask(e, "renewal", "www")
			e.Until(time.Hour, func() bool {
				order := orderOf(e, "renewal")
				return order != nil && order.Status.Progress == v1alpha1.PhaseAwaitingValidation
			})
			order := orderOf(e, "renewal")
			remove(e, e.Request("renewal"))
			remove(e, order)
			e.Pass(time.Hour)
			if seen, _ := e.Simulator.Instance(ids[0]); len(e.Orders()) != 1 || seen.Status == cassim.InstancePending {
				t.Errorf("%d Orders are left, and the instance is %+v", len(e.Orders()), seen)
			}
			ask(e, "again", "www")
			e.Until(3*time.Hour, isIssued(e, "again"))
			wantApplications(e, "issued", "withdrawn", "issued")
		})
	}
}

// isOrderedWithTheSame has a certificate issued, and another one so long before the first one ends, and says whether
// both are of one instance.
func isOrderedWithTheSame(e *env.Env, left time.Duration) bool {
	e.T.Helper()
	ask(e, "www", "www")
	e.Until(time.Hour, isReady(e))
	first := onlyOrder(e.T, e).Status
	e.Clock.SetTime(first.NotAfter.Add(-left))
	ask(e, "again", "www")
	e.Until(3*time.Hour, isIssued(e, "again"))
	return orderOf(e, "again").Status.OrderID == first.OrderID
}

// TestAFreshInstanceRenewsWhereTheIssuerSaysSo leaves the instance of the first certificate alone.
func TestAFreshInstanceRenewsWhereTheIssuerSaysSo(t *testing.T) {
	e, _ := withInstances(t, cassim.Options{}, 2)
	changeInstance(e, func(i *v1alpha1.Instance) { i.Renewal = v1alpha1.RenewalIsFresh })
	if isOrderedWithTheSame(e, 20*day) {
		t.Error("it is renewed with the same instance")
	}
}

// TestAnInstanceThatEndsSoonRenewsNothing has a term that ends with the certificate.
func TestAnInstanceThatEndsSoonRenewsNothing(t *testing.T) {
	e, _ := withInstances(t, cassim.Options{}, 1)
	changeInstance(e, func(i *v1alpha1.Instance) {
		i.Selector = v1alpha1.InstanceSelector{Type: v1alpha1.InstanceTest}
	})
	for range 2 {
		e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceTest})
	}
	if isOrderedWithTheSame(e, 20*day) {
		t.Error("it is renewed with an instance that ends before the next certificate")
	}
}

// TestAYoungCertificateIsLeftAlone asks for the names once more with another key, after ten days: whoever uses the
// first certificate must not lose it to a CA that revokes the one before.
func TestAYoungCertificateIsLeftAlone(t *testing.T) {
	e, _ := withInstances(t, cassim.Options{}, 2)
	if isOrderedWithTheSame(e, 190*day) {
		t.Error("the instance of the first certificate was applied with")
	}
	wantApplications(e, "issued", "issued")
}
