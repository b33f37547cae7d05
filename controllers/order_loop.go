// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// +kubebuilder:rbac:groups=cert-manager.io,resources=certificates,verbs=get

// The reasons of cert-manager for issuing a Certificate again that tell what is behind a loop.
const (
	secretDoesNotExist   = "DoesNotExist"
	secretOfOtherHolders = "IncorrectCertificate"
)

// holdsLoop holds an order that is one too many for its names, says why there are so many, and takes that down. A loop
// whose cause was found and is gone holds nobody any longer than a day's orders do.
func holdsLoop(run *orderRun, certificate *cmapi.Certificate, issuer v1alpha1.GenericIssuer) ruling {
	names := demandOf(run).names
	set := nameSetOf(issuer.GetStatus().Spending, names)
	cause, why := causeOf(certificate, set)
	if set.Loop != nil && set.Loop.Cause == v1alpha1.LoopRenewBefore && cause != v1alpha1.LoopRenewBefore {
		set.Loop = nil
	}
	run.endsSoon = endsSoon(certificate, run.now)
	if v := decide(issuer, demandOf(run), run.now); v.reason != v1alpha1.ReasonOrderRateExceeded {
		return v
	}
	holdLoop(issuer, names, cause, run.now)
	set = nameSetOf(issuer.GetStatus().Spending, names)
	until := set.loopUntil(maxPerDay(issuer), demandOf(run), run.now)
	return ruling{reason: v1alpha1.ReasonOrderRateExceeded, until: until, message: tellLoop(issuer, set, why, until, run.now)}
}

func tellLoop(issuer v1alpha1.GenericIssuer, set nameSet, why string, until, now time.Time) string {
	orders, times := set.counts(""), ""
	first := set.last().At.Time
	for i := len(orders) - 1; i >= 0 && now.Sub(orders[i].At.Time) < day; i-- {
		first = orders[i].At.Time
	}
	told := fmt.Sprintf("%d orders for the same names were submitted in the last 24 hours, the first at %s", orders.within(day, now), first.UTC().Format(time.RFC3339))
	if set.Loop.Times > 1 {
		told = fmt.Sprintf("orders for the same names have been held %d times since %s, and each time another one came after the next was ordered, the last at %s",
			set.Loop.Times, set.Loop.Since.UTC().Format(time.RFC3339), set.last().At.UTC().Format(time.RFC3339))
		times = ", or when the last certificate is in the last third of its life; the wait doubles as long as that goes on"
	}
	return fmt.Sprintf("%s: %s. The next one is ordered at %s%s. If so many are right, set spec.orders.maxPerDay of the %s %q to more than %d",
		told, why, until.UTC().Format(time.RFC3339), times, issuer.IssuerKind(), issuer.GetName(), maxPerDay(issuer))
}

// certificateOf is the Certificate of the request, or an empty one if there is none.
func (r *OrderReconciler) certificateOf(ctx context.Context, run *orderRun) (*cmapi.Certificate, error) {
	certificate := &cmapi.Certificate{}
	name := run.request.Annotations[cmapi.CertificateNameKey]
	if name == "" {
		return certificate, nil
	}
	err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: run.order.Namespace, Name: name}, certificate)
	return certificate, client.IgnoreNotFound(err)
}

// endsSoon says that what the Certificate has is in the last third of its life. Whoever may write its status can pretend that,
// and gains a day's orders for his own names.
func endsSoon(certificate *cmapi.Certificate, now time.Time) bool {
	from, to := certificate.Status.NotBefore, certificate.Status.NotAfter
	return from != nil && to != nil && !now.Before(to.Add(-to.Sub(from.Time)/3))
}

// causeOf is what a Certificate tells about being ordered again and again.
func causeOf(certificate *cmapi.Certificate, set nameSet) (v1alpha1.LoopCause, string) {
	if field, isDue := renewsAtOnce(certificate, set); isDue {
		return v1alpha1.LoopRenewBefore, fmt.Sprintf(
			"the CA's certificate lasts %s, and %s of the Certificate %q makes its renewal due within a day of being issued. Set %s lower, or leave it out",
			set.lifetime(), field, certificate.Name, field)
	}
	issuing := cmutil.GetCertificateCondition(certificate, cmapi.CertificateConditionIssuing)
	switch {
	case issuing == nil:
	case issuing.Reason == secretDoesNotExist:
		return v1alpha1.LoopSecretMissing, fmt.Sprintf(
			"the Secret %q of the Certificate %q does not exist. Something deletes it again and again: find out what does", certificate.Spec.SecretName, certificate.Name)
	case issuing.Reason == secretOfOtherHolders:
		return v1alpha1.LoopSecretShared, fmt.Sprintf(
			"the Secret %q of the Certificate %q was written for another Certificate, too. Give each of them a spec.secretName of its own", certificate.Spec.SecretName, certificate.Name)
	}
	return v1alpha1.LoopUnknown, "something asks for this certificate again and again, such as a Secret that is deleted in a loop, or several Certificates for the same names"
}

// renewsAtOnce compares when cert-manager renews with what the CA really gave.
func renewsAtOnce(certificate *cmapi.Certificate, set nameSet) (field string, isDue bool) {
	spec := certificate.Spec
	if set.NotAfter == nil {
		return "", false
	}
	at, err := pki.RenewalTime(set.NotBefore.Time, set.NotAfter.Time, spec.RenewBefore, spec.RenewBeforePercentage, spec.Renewal)
	if err != nil || at == nil || at.Sub(set.NotBefore.Time) >= day {
		return "", false
	}
	if spec.RenewBefore == nil {
		return "spec.renewBeforePercentage", true
	}
	return "spec.renewBefore", true
}
