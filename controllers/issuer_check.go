// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// finding is what a check found out about one thing that the issuer depends on.
type finding struct {
	status  metav1.ConditionStatus
	reason  string
	message string
}

func good(message string) finding {
	return finding{metav1.ConditionTrue, v1alpha1.ReasonReady, message}
}

func bad(reason, message string) finding { return finding{metav1.ConditionFalse, reason, message} }

func unknown(message string) finding {
	return finding{metav1.ConditionUnknown, v1alpha1.ReasonNotChecked, message}
}

// passing are the reasons that say nothing about the issuer itself: an issuer that was ready stays so.
var passing = []string{v1alpha1.ReasonCASUnavailable}

// dependencies are what an issuer depends on, in the order in which they are told.
var dependencies = []string{
	v1alpha1.ConditionCredentialsValid, v1alpha1.ConditionPermissionsGranted, v1alpha1.ConditionPackageAvailable, v1alpha1.ConditionSolversValid,
}

// DefaultCheckBound is how long a check of an issuer may take, however many servers it names and whatever they answer.
const DefaultCheckBound = time.Minute

// check asks read verbs only: what a mutating verb refuses is learned from its first refusal. The account and the solvers
// are asked side by side, so that neither takes the other's time.
func (r *IssuerReconciler) check(ctx context.Context, issuer v1alpha1.GenericIssuer) {
	ctx, cancel := context.WithTimeout(ctx, r.CheckBound)
	defer cancel()
	solvers := make(chan finding, 1)
	go func() { solvers <- r.checkSolvers(ctx, issuer.GetSpec(), r.reach(issuer)) }()
	found := r.checkAccount(ctx, issuer)
	found[v1alpha1.ConditionSolversValid] = <-solvers
	status := issuer.GetStatus()
	status.ObservedGeneration = issuer.GetGeneration()
	status.Budgets = budgetsOf(issuer, r.Remote.Clock.Now())
	for _, kind := range dependencies {
		r.conclude(issuer, kind, found[kind])
	}
	ready := good("certificates can be ordered")
	if c := obstacle(status.Conditions); c != nil {
		ready = bad(c.Reason, c.Message+". "+recheck(c.Reason))
	}
	r.conclude(issuer, v1alpha1.ConditionReady, ready)
}

// obstacle is the condition that keeps the issuer from being ready: the first that is false, or else the first that is
// unknown. What is refused for one zone keeps nobody from ordering for others: else a name that somebody asks for could
// stop all.
func obstacle(conditions []metav1.Condition) *metav1.Condition {
	for _, status := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		for _, kind := range dependencies {
			if c := meta.FindStatusCondition(conditions, kind); c.Status == status && c.Reason != v1alpha1.ReasonZoneRefused {
				return c
			}
		}
	}
	return nil
}

// conclude sets a condition. A failure that passes by itself does not take away what was true before.
func (r *IssuerReconciler) conclude(issuer v1alpha1.GenericIssuer, kind string, found finding) {
	status := issuer.GetStatus()
	was := meta.FindStatusCondition(status.Conditions, kind)
	if was != nil && was.Status == metav1.ConditionTrue && was.ObservedGeneration == issuer.GetGeneration() && slices.Contains(passing, found.reason) {
		return
	}
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: kind, Status: found.status, Reason: found.reason, Message: bounded(found.message, 32768),
		ObservedGeneration: issuer.GetGeneration(), LastTransitionTime: metav1.NewTime(r.Remote.Clock.Now().Truncate(time.Second)),
	})
}

// checkAccount asks whom the credentials belong to, and what they may do with the plan.
func (r *IssuerReconciler) checkAccount(ctx context.Context, issuer v1alpha1.GenericIssuer) map[string]finding {
	notChecked := unknown("this can be checked once the credentials are valid")
	found := map[string]finding{v1alpha1.ConditionPermissionsGranted: notChecked, v1alpha1.ConditionPackageAvailable: notChecked}
	calls, isTold, signedIn := r.checkCredentials(ctx, issuer)
	found[v1alpha1.ConditionCredentialsValid] = signedIn
	if signedIn.status != metav1.ConditionTrue {
		return found
	}
	plan, err := r.checkPlan(ctx, issuer, calls)
	switch {
	case refusesSignature(err):
		reason, message := explain(err)
		found[v1alpha1.ConditionCredentialsValid] = bad(reason, message)
		return found
	case err == nil:
		found[v1alpha1.ConditionPackageAvailable] = plan
	case cas.IsPermission(err):
		found[v1alpha1.ConditionPackageAvailable] = unknown("this can be checked once the permission for it is granted")
	default:
		reason, message := explain(err)
		found[v1alpha1.ConditionPackageAvailable] = bad(reason, message)
		found[v1alpha1.ConditionPermissionsGranted] = finding{metav1.ConditionUnknown, reason, "this can be checked once CAS answers"}
		if !isTold {
			found[v1alpha1.ConditionCredentialsValid] = finding{metav1.ConditionUnknown, reason, "neither CAS nor STS has answered: " + message}
		}
		return found
	}
	found[v1alpha1.ConditionPermissionsGranted] = r.checkPermissions(ctx, issuer, calls, err)
	return found
}

// checkCredentials signs in. Whom the credentials belong to is good to know, and no condition: STS may be out of reach
// where CAS is not.
func (r *IssuerReconciler) checkCredentials(ctx context.Context, issuer v1alpha1.GenericIssuer) (calls *cas.Client, isTold bool, found finding) {
	spec, to := issuer.GetSpec(), r.reach(issuer)
	if _, err := r.Remote.Secrets.Contact(ctx, to.namespace, spec); err != nil {
		reason, message := explain(err)
		return nil, false, bad(reason, "the contact: "+message)
	}
	login, err := r.Remote.login(to, nil)
	if err == nil {
		calls, err = r.Remote.cas(to, r.Remote.Secrets)
	}
	if err != nil {
		return nil, false, bad(explain(err))
	}
	identity, err := r.Remote.Secrets.Identity(ctx, login)
	problem, isProblem := errors.AsType[*credentials.Problem](err)
	switch {
	case isProblem:
		return nil, false, bad(problem.Reason, problem.Message)
	case refusesSignature(err):
		return nil, false, bad(explain(err))
	case err != nil:
		return calls, false, good("Alibaba Cloud accepts the credentials; whom they belong to is not known, since STS does not tell")
	}
	issuer.GetStatus().Identity = &v1alpha1.IssuerIdentity{AccountID: bounded(identity.Account, 64), ARN: bounded(identity.ARN, 512)}
	return calls, true, good("Alibaba Cloud accepts the credentials, of the account " + issuer.GetStatus().Identity.AccountID)
}

// refusesSignature tells whether no call of these credentials would be accepted, whatever it asks for.
func refusesSignature(err error) bool {
	return cas.IsCredentials(err) || cas.KindOf(err) == cas.KindClock
}

// checkPlan asks for the numbers of the plan.
func (r *IssuerReconciler) checkPlan(ctx context.Context, issuer v1alpha1.GenericIssuer, calls *cas.Client) (finding, error) {
	source := issuer.GetSpec().Source.ResourcePlan
	numbers, err := calls.Package(ctx, source.ProductCode)
	switch {
	case cas.IsNoPackage(err):
		_, message := explain(err)
		return bad(v1alpha1.ReasonNoPackage, message), nil
	case err != nil:
		return finding{}, err
	case domainTypeOf(source) == "":
		return bad(v1alpha1.ReasonDomainTypeRequired, domainTypeRequired(source)), nil
	}
	issuer.GetStatus().Package = &v1alpha1.PackageStatus{
		ProductCode: source.ProductCode,
		Total:       int64(numbers.Total), Used: int64(numbers.Used), Issued: int64(numbers.Issued), Remaining: int64(numbers.Total - numbers.Used),
		ObservedAt: metav1.NewTime(r.Remote.Clock.Now().Truncate(time.Second)),
	}
	if numbers.Total == 0 {
		return bad(v1alpha1.ReasonNoPackage, fmt.Sprintf(
			"the account has no certificate for the product code %q: buy a resource plan for it, or correct spec.source.resourcePlan.productCode", source.ProductCode)), nil
	}
	return good("the account has a plan for the product"), nil
}
