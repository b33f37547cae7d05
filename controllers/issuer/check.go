// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/budget"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
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
	v1alpha1.ConditionCredentialsValid, v1alpha1.ConditionPermissionsGranted, v1alpha1.ConditionSourceAvailable,
	v1alpha1.ConditionSolversValid,
}

// DefaultCheckBound is how long a check of an issuer may take, however many servers it names and whatever they answer.
const DefaultCheckBound = time.Minute

// Calls read verbs only: that a writing verb is not permitted is learned from the first refusal. Asks the account and
// the solvers side by side, so that neither takes the other's time.
func (r *Reconciler) check(ctx context.Context, issuer v1alpha1.GenericIssuer) {
	ctx, cancel := context.WithTimeout(ctx, r.CheckBound)
	defer cancel()
	solvers := make(chan finding, 1)
	go func() { solvers <- r.checkSolvers(ctx, issuer.GetSpec(), r.reach(issuer)) }()
	found := r.checkAccount(ctx, issuer)
	found[v1alpha1.ConditionSolversValid] = <-solvers
	status := issuer.GetStatus()
	status.ObservedGeneration = issuer.GetGeneration()
	status.Budgets = budget.StatusOf(issuer, r.Remote.Clock.Now())
	for _, kind := range dependencies {
		r.conclude(issuer, kind, found[kind])
	}
	ready := good("certificates can be ordered")
	if c := obstacle(status.Conditions); c != nil {
		ready = bad(c.Reason, c.Message+". "+recheck(c.Reason))
	}
	r.conclude(issuer, v1alpha1.ConditionReady, ready)
}

// Returns the condition that keeps the issuer from being ready: the first that is false, or else the first that is
// unknown. A refusal for one zone is no obstacle, since others can still order: otherwise an order for a single name
// could stop all.
func obstacle(conditions []metav1.Condition) *metav1.Condition {
	for _, status := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		for _, kind := range dependencies {
			if c := meta.FindStatusCondition(conditions, kind); c.Status == status &&
				c.Reason != v1alpha1.ReasonZoneRefused {
				return c
			}
		}
	}
	return nil
}

// Sets a condition. A condition that was true stays so if the failure passes by itself.
func (r *Reconciler) conclude(issuer v1alpha1.GenericIssuer, kind string, found finding) {
	status := issuer.GetStatus()
	was := meta.FindStatusCondition(status.Conditions, kind)
	if was != nil && was.Status == metav1.ConditionTrue && was.ObservedGeneration == issuer.GetGeneration() &&
		slices.Contains(passing, found.reason) {
		return
	}
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: kind, Status: found.status, Reason: found.reason, Message: apiserver.Bounded(found.message, 32768),
		ObservedGeneration: issuer.GetGeneration(),
		LastTransitionTime: metav1.NewTime(r.Remote.Clock.Now().Truncate(time.Second)),
	})
}

// checkAccount asks whom the credentials belong to, and what they may buy.
func (r *Reconciler) checkAccount(ctx context.Context, issuer v1alpha1.GenericIssuer) map[string]finding {
	notChecked := unknown("this can be checked once the credentials are valid")
	found := map[string]finding{v1alpha1.ConditionPermissionsGranted: notChecked,
		v1alpha1.ConditionSourceAvailable: notChecked}
	checker, isTold, signedIn := r.checkCredentials(ctx, issuer)
	found[v1alpha1.ConditionCredentialsValid] = signedIn
	if signedIn.status != metav1.ConditionTrue {
		return found
	}
	shortcoming, err := checker.Supply(ctx)
	switch {
	case refusesSignature(err):
		reason, message := verdict.Explain(err)
		found[v1alpha1.ConditionCredentialsValid] = bad(reason, message)
		return found
	case shortcoming != nil:
		found[v1alpha1.ConditionSourceAvailable] = bad(shortcoming.Reason, shortcoming.Message)
	case err == nil:
		found[v1alpha1.ConditionSourceAvailable] = good(r.Sources.Offer(issuer.GetSpec().Source).Words().Available)
	case rpc.IsPermission(err):
		found[v1alpha1.ConditionSourceAvailable] = unknown("this can be checked once the permission for it is granted")
	default:
		reason, message := verdict.Explain(err)
		found[v1alpha1.ConditionSourceAvailable] = bad(reason, message)
		found[v1alpha1.ConditionPermissionsGranted] = finding{metav1.ConditionUnknown, reason,
			"this can be checked once CAS answers"}
		if !isTold {
			found[v1alpha1.ConditionCredentialsValid] = finding{metav1.ConditionUnknown, reason,
				"neither CAS nor STS has answered: " + message}
		}
		return found
	}
	found[v1alpha1.ConditionPermissionsGranted] = r.checkPermissions(ctx, issuer, checker, err)
	return found
}

// Signs in, and asks STS whom the credentials belong to. That is good to know, but no condition: STS may be out of
// reach while CAS is not.
func (r *Reconciler) checkCredentials(
	ctx context.Context, issuer v1alpha1.GenericIssuer) (checker source.Checker, isTold bool, found finding) {
	to := r.reach(issuer)
	checker, err := r.Sources.Of(issuer.GetSpec().Source).Checker(ctx,
		source.CheckAsk{Issuer: issuer, Reach: to, Secrets: r.Remote.Secrets})
	if err != nil {
		return nil, false, bad(verdict.Explain(err))
	}
	login, err := r.Remote.Login(to, nil)
	if err != nil {
		return nil, false, bad(verdict.Explain(err))
	}
	identity, err := r.Remote.Secrets.Identity(ctx, login)
	problem, isProblem := errors.AsType[*credentials.Problem](err)
	switch {
	case isProblem:
		return nil, false, bad(problem.Reason, problem.Message)
	case refusesSignature(err):
		return nil, false, bad(verdict.Explain(err))
	case err != nil:
		return checker, false, good("Alibaba Cloud accepts the credentials; whom they belong to is not known, since " +
			"STS does not tell")
	}
	issuer.GetStatus().Identity = &v1alpha1.IssuerIdentity{AccountID: apiserver.Bounded(identity.Account, 64),
		ARN: apiserver.Bounded(identity.ARN, 512)}
	return checker, true, good("Alibaba Cloud accepts the credentials, of the account " +
		issuer.GetStatus().Identity.AccountID)
}

// Says whether no call with these credentials would be accepted, whatever it asks for.
func refusesSignature(err error) bool {
	return rpc.IsCredentials(err) || rpc.KindOf(err) == rpc.KindClock
}
