// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestACertificateTellsWhyItIsOrderedAgain reads what cert-manager writes, for certificates that last 200 days.
func TestACertificateTellsWhyItIsOrderedAgain(t *testing.T) {
	issuing := func(reason string) func(*cmapi.Certificate) {
		return func(c *cmapi.Certificate) {
			c.Status.Conditions = []cmapi.CertificateCondition{{Type: cmapi.CertificateConditionIssuing, Reason: reason}}
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
		"it renews in time":             {renewBefore(60 * day), v1alpha1.LoopUnknown, "something asks for this certificate again and again"},
		"it renews after two days":      {renewBefore(198 * day), v1alpha1.LoopUnknown, "something asks"},
		"it renews within a day":        {renewBefore(200*day - 15*time.Second), v1alpha1.LoopRenewBefore, `spec.renewBefore of the Certificate "shop"`},
		"it renews before it begins":    {renewBefore(365 * day), v1alpha1.LoopUnknown, "something asks"}, // cert-manager takes its default then
		"it renews after 99 per cent":   {func(c *cmapi.Certificate) { c.Spec.RenewBeforePercentage = new(int32(1)) }, v1alpha1.LoopUnknown, "something asks"},
		"it renews after one per cent":  {func(c *cmapi.Certificate) { c.Spec.RenewBeforePercentage = new(int32(99)) }, v1alpha1.LoopUnknown, "something asks"},
		"its Secret is deleted":         {issuing("DoesNotExist"), v1alpha1.LoopSecretMissing, `the Secret "tls" of the Certificate "shop" does not exist`},
		"its Secret has another holder": {issuing("IncorrectCertificate"), v1alpha1.LoopSecretShared, "Give each of them a spec.secretName of its own"},
		"somebody asked for it":         {issuing("ManuallyTriggered"), v1alpha1.LoopUnknown, "something asks"},
	} {
		t.Run(name, func(t *testing.T) {
			certificate := &cmapi.Certificate{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: cmapi.CertificateSpec{SecretName: "tls"}}
			test.change(certificate)
			from, to := metav1.NewTime(noon), metav1.NewTime(noon.Add(200*day))
			cause, why := causeOf(certificate, nameSet{&v1alpha1.NameSetSpending{NotBefore: &from, NotAfter: &to}})
			wantSame(t, cause, test.want)
			if !strings.Contains(why, test.says) {
				t.Errorf("it says %q", why)
			}
		})
	}
}

// TestALoopWhoseCauseIsMendedHasItsOrdersBack lets the wait have grown to days before.
func TestALoopWhoseCauseIsMendedHasItsOrdersBack(t *testing.T) {
	s := issuerWith(1000, v1alpha1.OrderPolicy{})
	s.issue("www.example.com", noon, noon.Add(200*day), noon)
	s.loop(4, time.Hour, noon)
	order := &v1alpha1.AliyunOrder{}
	order.Spec.DNSNames = []string{"www.example.com"}
	certificate := &cmapi.Certificate{}
	certificate.Spec.RenewBefore = &metav1.Duration{Duration: 200*day - time.Minute}
	run := &orderRun{order: order, now: noon.Add(4*day + time.Hour)}
	if v := holdsLoop(run, certificate, s); v.reason != v1alpha1.ReasonOrderRateExceeded || !strings.Contains(v.message, "spec.renewBefore") {
		t.Fatalf("it is not held: %+v", v)
	}
	certificate.Spec.RenewBefore = nil
	if v := holdsLoop(run, certificate, s); !v.fits() {
		t.Errorf("it is held still: %+v", v)
	}
}

// TestACertificateThatIsAboutToEndIsNotStarvedByOthers lets another namespace have ordered the same names just now, whose
// certificate is a young one.
func TestACertificateThatIsAboutToEndIsNotStarvedByOthers(t *testing.T) {
	s := issuerWith(1000, v1alpha1.OrderPolicy{})
	wantSame(t, s.buy(9, "other", same, noon), 3)
	s.issue("www.example.com", noon, noon.Add(200*day), noon)
	order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", UID: "shop"}}
	order.Spec.DNSNames = []string{"www.example.com"}
	certificate := &cmapi.Certificate{}
	for _, test := range []struct {
		left time.Duration
		want bool
	}{{100 * day, false}, {60 * day, true}} {
		from, to := metav1.NewTime(noon.Add(test.left-200*day)), metav1.NewTime(noon.Add(test.left))
		certificate.Status.NotBefore, certificate.Status.NotAfter = &from, &to
		run := &orderRun{order: order, now: noon.Add(time.Minute)}
		if v := holdsLoop(run, certificate, s); v.fits() != test.want {
			t.Errorf("with %s left, it is %+v", test.left, v)
		}
		wantSame(t, decide(s, demandOf(run), run.now).fits(), test.want) // as it is charged
	}
}
