// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Reasons of cert-manager for issuing a Certificate again. They tell what causes a loop.
const (
	secretDoesNotExist   = "DoesNotExist"
	secretOfOtherHolders = "IncorrectCertificate"
)

// HoldsLoop decides on an order as Decide does, and sets EndsSoon of the demand by its Certificate. If the order is one
// too many for its names, it says why there are so many, and records that. If the recorded cause was LoopRenewBefore,
// and the Certificate is no longer renewed at once, HoldsLoop forgets the loop first: the order then waits no longer
// than for a day's orders.
func HoldsLoop(p *Demand, certificate *cmapi.Certificate, issuer v1alpha1.GenericIssuer, now time.Time) Ruling {
	set := NameSetOf(issuer.GetStatus().Spending, p.Names)
	cause, why := causeOf(certificate, set)
	if set.Loop != nil && set.Loop.Cause == v1alpha1.LoopRenewBefore && cause != v1alpha1.LoopRenewBefore {
		set.Loop = nil
	}
	p.EndsSoon = endsSoon(certificate, now)
	if v := Decide(issuer, *p, now); v.Reason != v1alpha1.ReasonOrderRateExceeded {
		return v
	}
	holdLoop(issuer, p.Names, cause, now)
	set = NameSetOf(issuer.GetStatus().Spending, p.Names)
	until := set.loopUntil(maxPerDay(issuer), *p, now)
	return Ruling{
		Reason: v1alpha1.ReasonOrderRateExceeded, Until: until, Message: tellLoop(issuer, set, why, until, now),
	}
}

func tellLoop(issuer v1alpha1.GenericIssuer, set NameSet, why string, until, now time.Time) string {
	orders, times := set.counts(""), ""
	first := set.last().At.Time
	for i := len(orders) - 1; i >= 0 && now.Sub(orders[i].At.Time) < Day; i-- {
		first = orders[i].At.Time
	}
	told := fmt.Sprintf("%d orders for the same names were submitted in the last 24 hours, the first at %s",
		orders.within(Day, now), first.UTC().Format(time.RFC3339))
	if set.Loop.Times > 1 {
		told = fmt.Sprintf("orders for the same names have been held %d times since %s, and each time another one "+
			"came after the next was ordered, the last at %s",
			set.Loop.Times, set.Loop.Since.UTC().Format(time.RFC3339), set.last().At.UTC().Format(time.RFC3339))
		times = ", or when the last certificate is in the last third of its life; the wait doubles as long as " +
			"that goes on"
	}
	return fmt.Sprintf("%s: %s. The next one is ordered at %s%s. If so many are right, set spec.orders.maxPerDay of "+
		"the %s %q to more than %d",
		told, why, until.UTC().Format(time.RFC3339), times, issuer.IssuerKind(), issuer.GetName(), maxPerDay(issuer))
}

// Says whether what the Certificate has is in the last third of its life. Somebody who may write the status of a
// Certificate can fake that, and so gain a day's orders for their own names.
func endsSoon(certificate *cmapi.Certificate, now time.Time) bool {
	from, to := certificate.Status.NotBefore, certificate.Status.NotAfter
	return from != nil && to != nil && !now.Before(to.Add(-to.Sub(from.Time)/3))
}

// Returns what a Certificate tells about why it is ordered again and again: the cause, and the same in words.
func causeOf(certificate *cmapi.Certificate, set NameSet) (v1alpha1.LoopCause, string) {
	if field, isDue := renewsAtOnce(certificate, set); isDue {
		return v1alpha1.LoopRenewBefore, fmt.Sprintf(
			"the CA's certificate lasts %s, and %s of the Certificate %q makes its renewal due within a day of "+
				"being issued. Set %s lower, or leave it out",
			set.lifetime(), field, certificate.Name, field)
	}
	issuing := cmutil.GetCertificateCondition(certificate, cmapi.CertificateConditionIssuing)
	switch {
	case issuing == nil:
	case issuing.Reason == secretDoesNotExist:
		return v1alpha1.LoopSecretMissing, fmt.Sprintf(
			"the Secret %q of the Certificate %q does not exist. Something deletes it again and again: find "+
				"out what does", certificate.Spec.SecretName, certificate.Name)
	case issuing.Reason == secretOfOtherHolders:
		return v1alpha1.LoopSecretShared, fmt.Sprintf(
			"the Secret %q of the Certificate %q was written for another Certificate, too. Give each of them a "+
				"spec.secretName of its own", certificate.Spec.SecretName, certificate.Name)
	}
	return v1alpha1.LoopUnknown, "something asks for this certificate again and again, such as a Secret that is " +
		"deleted in a loop, or several Certificates for the same names"
}

// Says whether cert-manager renews a certificate with the life that the CA really gave within a day of its beginning,
// and by which field of the Certificate.
func renewsAtOnce(certificate *cmapi.Certificate, set NameSet) (field string, isDue bool) {
	spec := certificate.Spec
	if set.NotAfter == nil {
		return "", false
	}
	at, err := pki.RenewalTime(set.NotBefore.Time, set.NotAfter.Time, spec.RenewBefore, spec.RenewBeforePercentage,
		spec.Renewal)
	if err != nil || at == nil || at.Sub(set.NotBefore.Time) >= Day {
		return "", false
	}
	if spec.RenewBefore == nil {
		return "spec.renewBeforePercentage", true
	}
	return "spec.renewBefore", true
}
