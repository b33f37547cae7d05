// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// TestACertificateTellsWhyItIsOrderedAgain reads what cert-manager writes, for certificates that last 200 days.
func TestACertificateTellsWhyItIsOrderedAgain(t *testing.T) {
	issuing := func(reason string) func(*cmapi.Certificate) {
		return func(c *cmapi.Certificate) {
			c.Status.Conditions = []cmapi.CertificateCondition{
				{Type: cmapi.CertificateConditionIssuing, Reason: reason}}
		}
	}
	renewBefore := func(d time.Duration) func(*cmapi.Certificate) {
		return func(c *cmapi.Certificate) { c.Spec.RenewBefore = &metav1.Duration{Duration: d} }
	}
	for name, test := range map[string]struct {
		change func(*cmapi.Certificate)
		want   v1alpha1.LoopCause
		says   string
	}{
		"it renews in time": {renewBefore(60 * Day), v1alpha1.LoopUnknown, "something asks for this " +
			"certificate again and again"},
		"it renews after two days": {renewBefore(198 * Day), v1alpha1.LoopUnknown, "something asks"},
		"it renews within a day": {renewBefore(200*Day - 15*time.Second), v1alpha1.LoopRenewBefore,
			`spec.renewBefore of the Certificate "shop"`},
		// cert-manager takes its default then
		"it renews before it begins": {renewBefore(365 * Day), v1alpha1.LoopUnknown, "something asks"},
		"it renews after 99 per cent": {func(c *cmapi.Certificate) { c.Spec.RenewBeforePercentage = new(int32(1)) },
			v1alpha1.LoopUnknown, "something asks"},
		"it renews after one per cent": {func(c *cmapi.Certificate) { c.Spec.RenewBeforePercentage = new(int32(99)) },
			v1alpha1.LoopUnknown, "something asks"},
		"its Secret is deleted": {issuing("DoesNotExist"), v1alpha1.LoopSecretMissing,
			`the Secret "tls" of the Certificate "shop" does not exist`},
		"its Secret has another holder": {issuing("IncorrectCertificate"), v1alpha1.LoopSecretShared,
			"Give each of them a spec.secretName of its own"},
		"somebody asked for it": {issuing("ManuallyTriggered"), v1alpha1.LoopUnknown, "something asks"},
	} {
		t.Run(name, func(t *testing.T) {
			certificate := &cmapi.Certificate{ObjectMeta: metav1.ObjectMeta{Name: "shop"},
				Spec: cmapi.CertificateSpec{SecretName: "tls"}}
			test.change(certificate)
			from, to := metav1.NewTime(certs.Start), metav1.NewTime(certs.Start.Add(200*Day))
			cause, why := causeOf(certificate, NameSet{&v1alpha1.NameSetSpending{NotBefore: &from, NotAfter: &to}})
			compare.Same(t, cause, test.want)
			if !strings.Contains(why, test.says) {
				t.Errorf("it says %q", why)
			}
		})
	}
}

// TestALoopWhoseCauseIsMendedHasItsOrdersBack begins with a wait that has grown to days.
func TestALoopWhoseCauseIsMendedHasItsOrdersBack(t *testing.T) {
	s := issuerWith(1000, v1alpha1.OrderPolicy{})
	s.issue("www.example.com", certs.Start, certs.Start.Add(200*Day), certs.Start)
	s.loop(4, time.Hour)
	p, now := Demand{Names: NamesHash([]string{"www.example.com"})}, certs.Start.Add(4*Day+time.Hour)
	certificate := &cmapi.Certificate{}
	certificate.Spec.RenewBefore = &metav1.Duration{Duration: 200*Day - time.Minute}
	if v := HoldsLoop(&p, certificate, s, now); v.Reason != v1alpha1.ReasonOrderRateExceeded ||
		!strings.Contains(v.Message, "spec.renewBefore") {
		t.Fatalf("it is not held: %+v", v)
	}
	certificate.Spec.RenewBefore = nil
	if v := HoldsLoop(&p, certificate, s, now); !v.Fits() {
		t.Errorf("it is held still: %+v", v)
	}
}

// TestACertificateThatIsAboutToEndIsNotStarvedByOthers begins after another namespace has ordered the same names, and
// has got a young certificate.
func TestACertificateThatIsAboutToEndIsNotStarvedByOthers(t *testing.T) {
	s := issuerWith(1000, v1alpha1.OrderPolicy{})
	compare.Same(t, s.buy(9, "other", same, certs.Start), 3)
	s.issue("www.example.com", certs.Start, certs.Start.Add(200*Day), certs.Start)
	certificate := &cmapi.Certificate{}
	for _, test := range []struct {
		left time.Duration
		want bool
	}{{100 * Day, false}, {60 * Day, true}} {
		from, to := metav1.NewTime(certs.Start.Add(test.left-200*Day)), metav1.NewTime(certs.Start.Add(test.left))
		certificate.Status.NotBefore, certificate.Status.NotAfter = &from, &to
		p, now := Demand{Order: "shop", Namespace: "shop", Names: NamesHash([]string{"www.example.com"})},
			certs.Start.Add(time.Minute)
		if v := HoldsLoop(&p, certificate, s, now); v.Fits() != test.want {
			t.Errorf("with %s left, it is %+v", test.left, v)
		}
		compare.Same(t, Decide(s, p, now).Fits(), test.want) // as it is charged
	}
}
