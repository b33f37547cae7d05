// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// trouble is something that stops an order, and that somebody mends.
type trouble struct {
	options cassim.Options
	// isLater lets the order be made before the trouble begins.
	isLater     bool
	begin, mend func(*env.Env)
	// isBetween lets the trouble begin once the issuer is ready, and the order be made then.
	isBetween bool
	// isShown tells that a check of the issuer shows when it is mended.
	isShown bool
	// reason is what the Order says while it lasts, or its issuer if there is no Order yet.
	reason string
}

// overdue is an account that Alibaba Cloud does not serve until its bill is paid. Calls of one action, or all.
func overdue(code, action string) (begin, mend func(*env.Env)) {
	return func(e *env.Env) {
		e.Simulator.Inject(cassim.Fault{Action: action, Kind: cassim.Refuse, Status: 403, Code: code,
			Message: "because", Times: -1})
	}, func(e *env.Env) { e.Simulator.LiftFaults() }
}

func troubles() map[string]trouble {
	refuse := func(isLater bool, code, action, reason string) trouble {
		begin, mend := overdue(code, action)
		return trouble{isLater: isLater, begin: begin, mend: mend, reason: reason}
	}
	exhaust := func(e *env.Env) { e.Simulator.SetPackage(gen.Product, 3, 3) }
	refill := func(e *env.Env) { e.Simulator.SetPackage(gen.Product, 20, 3) }
	deny := func(action string) func(*env.Env) {
		return func(e *env.Env) { e.Simulator.DenyAction(cassim.DefaultKeyID, action) }
	}
	allow := func(action string) func(*env.Env) {
		return func(e *env.Env) { e.Simulator.AllowAction(cassim.DefaultKeyID, action) }
	}
	skew := func(d time.Duration) func(*env.Env) { return func(e *env.Env) { e.Simulator.SetSkew(d) } }
	disable := func(isDisabled bool) func(*env.Env) {
		return func(e *env.Env) { e.Simulator.SetKeyDisabled(cassim.DefaultKeyID, isDisabled) }
	}
	slow := cassim.Options{CADelay: 10 * time.Minute}
	all := map[string]trouble{
		"the plan is exhausted": {isShown: true, begin: exhaust, mend: refill,
			reason: v1alpha1.ReasonQuotaExhausted},
		"the plan is exhausted, in newer words": {
			isShown: true, options: cassim.Options{Knobs: cassim.Knobs{QuotaCode: "InsufficientQuota"}}, begin: exhaust,
			mend: refill, reason: v1alpha1.ReasonQuotaExhausted},
		"nobody has bought a plan": {
			isShown: true, begin: func(e *env.Env) { e.Simulator.RemovePackage(gen.Product) }, mend: refill,
			reason: v1alpha1.ReasonNoPackage},
		"the plan is exhausted meanwhile": {isBetween: true, isShown: true, begin: exhaust, mend: refill,
			reason: v1alpha1.ReasonQuotaExhausted},
		"the AccessKey is disabled meanwhile": {isBetween: true, isShown: true, begin: disable(true),
			mend: disable(false), reason: v1alpha1.ReasonIssuerNotReady},
		"the clock is wrong meanwhile": {isBetween: true, isShown: true, begin: skew(time.Hour),
			mend: skew(0), reason: v1alpha1.ReasonIssuerNotReady},
		"RAM forbids to order": {begin: deny(create), mend: allow(create),
			reason: v1alpha1.ReasonPermissionDenied},
		"RAM forbids to describe": {isLater: true, options: slow,
			begin: deny("DescribeCertificateState"), mend: allow("DescribeCertificateState"),
			reason: v1alpha1.ReasonPermissionDenied},
		"RAM forbids the record": {begin: deny("AddDomainRecord"), mend: allow("AddDomainRecord"),
			reason: v1alpha1.ReasonPermissionDenied},
		"the AccessKey is disabled": {isShown: true, begin: disable(true), mend: disable(false),
			reason: v1alpha1.ReasonCredentialsRefused},
		"the AccessKey is disabled under way": {isLater: true, options: slow, begin: disable(true),
			mend: disable(false), reason: v1alpha1.ReasonCredentialsRefused},
		"the clock is wrong": {isShown: true, begin: skew(time.Hour), mend: skew(0),
			reason: v1alpha1.ReasonClockSkew},
		"the clock is wrong under way": {isLater: true, options: slow, begin: skew(-time.Hour),
			mend: skew(0), reason: v1alpha1.ReasonClockSkew},
		"the account is overdue": refuse(false, "InsufficientBalance", "",
			v1alpha1.ReasonAccountBlocked),
		"the account is overdue under way": refuse(true, "InsufficientBalance", "",
			v1alpha1.ReasonAccountBlocked),
		"the account is under risk control": refuse(false, "Forbidden.RiskControl", "",
			v1alpha1.ReasonAccountBlocked),
		"CAS is down for reads": refuse(true, "ServiceUnavailable", "DescribeCertificateState",
			v1alpha1.ReasonCASUnavailable),
		"CAS answers reads with an unknown code": refuse(true, "NeverHeardOf", "DescribeCertificateState",
			v1alpha1.ReasonCASUnavailable),
		"CAS throttles reads":  refuse(true, "Throttling.User", "DescribeCertificateState", ""),
		"CAS throttles orders": refuse(false, "Throttling.User", create, ""),
		"CAS answers reads with a number for a code": {isLater: true, begin: always(cassim.NumericCode), mend: lift,
			reason: v1alpha1.ReasonCASUnavailable},
		"CAS answers reads with a page of HTML": {isLater: true, begin: always(cassim.HTML200), mend: lift,
			reason: v1alpha1.ReasonCASUnavailable},
		"CAS answers reads with half of the answer": {isLater: true, begin: always(cassim.Truncated), mend: lift,
			reason: v1alpha1.ReasonCASUnavailable},
		"CAS answers reads with nothing": {isLater: true, begin: always(cassim.EmptyBody), mend: lift,
			reason: v1alpha1.ReasonCASUnavailable},
		"CAS does not answer reads": {isLater: true, begin: always(cassim.DropReply), mend: lift,
			reason: v1alpha1.ReasonCASUnavailable},
		"somebody redirects reads": {isLater: true, begin: always(cassim.Redirect307), mend: lift,
			reason: v1alpha1.ReasonEndpointInvalid},
	}
	for name, t := range all {
		if t.isLater && t.options.CADelay == 0 {
			t.options = slow
			all[name] = t
		}
	}
	return all
}

func always(kind cassim.FaultKind) func(*env.Env) {
	return func(e *env.Env) {
		e.Simulator.Inject(cassim.Fault{Action: "DescribeCertificateState", Kind: kind, Times: -1})
	}
}

func lift(e *env.Env) { e.Simulator.LiftFaults() }

// TestWhatIsMendedHealsByItself lets each trouble last for hours. The request is never failed, for that would make
// cert-manager order again; it says what is wrong; and once that is mended, nobody has to touch anything.
func TestWhatIsMendedHealsByItself(t *testing.T) {
	for name, trouble := range troubles() {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, trouble.options)
			if !trouble.isLater && !trouble.isBetween {
				trouble.begin(e)
			}
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			if trouble.isBetween {
				e.Settle()
				trouble.begin(e)
			}
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Settle()
			if trouble.isLater {
				trouble.begin(e)
			}
			for range 2 {
				e.Pass(30 * time.Minute)
				if got := reason(e); got != cmapi.CertificateRequestReasonPending {
					t.Fatalf("the request is %s while it lasts", got)
				}
			}
			if got := heldFor(e); trouble.reason != "" && got != trouble.reason {
				t.Errorf("it is told as %s, want %s: %s", got, trouble.reason, said(e))
			}
			trouble.mend(e)
			if trouble.isShown {
				e.Until(time.Minute, func() bool { return len(e.Simulator.Ledger()) > 0 })
			}
			e.Until(time.Hour, isReady(e))
			billed(t, e, 1)
			hasNoSecret(t, "what users read", said(e))
		})
	}
}

// heldFor is the reason of the Order, or else that of the issuer.
func heldFor(e *env.Env) string {
	for _, order := range e.Orders() {
		return meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady).Reason
	}
	issuer := &v1alpha1.AliyunIssuer{}
	if err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.IssuerName},
		issuer); err != nil {
		e.T.Fatal(err)
	}
	return meta.FindStatusCondition(issuer.Status.Conditions, v1alpha1.ConditionReady).Reason
}
