// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
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

// check asks read verbs only: what a mutating verb refuses is learned from its first refusal.
func (r *IssuerReconciler) check(ctx context.Context, issuer v1alpha1.GenericIssuer) {
	credentials, plan := r.checkPlan(ctx, issuer)
	solvers := r.checkSolvers(ctx, issuer)
	status := issuer.GetStatus()
	status.ObservedGeneration = issuer.GetGeneration()
	r.conclude(issuer, v1alpha1.ConditionCredentialsValid, credentials)
	r.conclude(issuer, v1alpha1.ConditionPackageAvailable, plan)
	r.conclude(issuer, v1alpha1.ConditionSolversValid, solvers)
	ready := good("certificates can be ordered")
	for _, kind := range []string{v1alpha1.ConditionCredentialsValid, v1alpha1.ConditionPackageAvailable, v1alpha1.ConditionSolversValid} {
		if c := meta.FindStatusCondition(status.Conditions, kind); c.Status != metav1.ConditionTrue {
			ready = bad(c.Reason, fmt.Sprintf("%s. It is checked again every 10 minutes, and within 30 seconds of a change to the Secret or the issuer", c.Message))
			break
		}
	}
	r.conclude(issuer, v1alpha1.ConditionReady, ready)
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

// checkPlan asks for the numbers of the plan, which proves the credentials on the way.
func (r *IssuerReconciler) checkPlan(ctx context.Context, issuer v1alpha1.GenericIssuer) (credentials, plan finding) {
	notChecked := unknown("the plan can be checked once the credentials are valid")
	namespace, spec := r.secretsNamespace(issuer), issuer.GetSpec()
	source := spec.Source.ResourcePlan
	if _, err := r.Remote.Secrets.Contact(ctx, namespace, spec); err != nil {
		reason, message := explain(err)
		return bad(reason, "the contact: "+message), notChecked
	}
	calls, err := r.Remote.cas(spec.Region, spec.Endpoint, r.Remote.Secrets.Keys(namespace, spec.Credentials))
	if err != nil {
		return bad(v1alpha1.ReasonEndpointInvalid, fmt.Sprintf("the endpoint cannot be used: %v: correct spec.endpoint", err)), notChecked
	}
	numbers, err := calls.Package(ctx, source.ProductCode)
	if err != nil && !cas.IsNoPackage(err) {
		reason, message := explain(err)
		return bad(reason, message), notChecked
	}
	credentials = good("CAS accepts the credentials")
	switch {
	case err != nil:
		_, message := explain(err)
		return credentials, bad(v1alpha1.ReasonNoPackage, message)
	case domainTypeOf(source) == "":
		return credentials, bad(v1alpha1.ReasonDomainTypeRequired, domainTypeRequired(source))
	}
	issuer.GetStatus().Package = &v1alpha1.PackageStatus{
		ProductCode: source.ProductCode,
		Total:       int64(numbers.Total), Used: int64(numbers.Used), Issued: int64(numbers.Issued), Remaining: int64(numbers.Total - numbers.Used),
		ObservedAt: metav1.NewTime(r.Remote.Clock.Now().Truncate(time.Second)),
	}
	if numbers.Total == 0 {
		return credentials, bad(v1alpha1.ReasonNoPackage, fmt.Sprintf(
			"the account has no certificate for the product code %q: buy a resource plan for it, or correct spec.source.resourcePlan.productCode", source.ProductCode))
	}
	return credentials, good("the account has a plan for the product")
}

// prober is a solver that can say, for one read call, whether it could work.
type prober interface {
	Probe(ctx context.Context) error
}

func (r *IssuerReconciler) checkSolvers(ctx context.Context, issuer v1alpha1.GenericIssuer) finding {
	spec := issuer.GetSpec()
	for i, solver := range spec.Solvers {
		if isNone(solver) {
			continue
		}
		present, err := r.Remote.solver(solverUse{
			Solver: solver, namespace: r.secretsNamespace(issuer), credentials: spec.Credentials, secrets: r.Remote.Secrets,
		})
		if err != nil {
			return bad(v1alpha1.ReasonSolverInvalid, fmt.Sprintf("solver %d cannot be used: %v", i, err))
		}
		probe, ok := present.(prober)
		if !ok {
			continue
		}
		if err := probe.Probe(ctx); err != nil {
			reason, message := explain(err)
			return bad(reason, fmt.Sprintf("solver %d: %s", i, message))
		}
	}
	return good("the solvers can be used")
}
