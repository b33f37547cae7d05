// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// uncheckedPatience is how long an order waits for DNS to answer what is asked before it is submitted. Then it is
// submitted all the same: our eyes are not the CA's.
const uncheckedPatience = 10 * time.Minute

// precheck looks, for free, at what would make a paid order wait in vain.
func (r *OrderReconciler) precheck(ctx context.Context, run *orderRun) outcome {
	spec := run.order.Spec
	skips := func(check v1alpha1.DomainCheck) bool {
		policy := run.issuer.GetSpec().Orders
		return policy != nil && slices.Contains(policy.SkipChecks, check)
	}
	check := &dcv.Precheck{
		SelfCheck:      r.Remote.SelfCheck,
		SkipPublicName: skips(v1alpha1.CheckPublicName), SkipDelegation: skips(v1alpha1.CheckZone), SkipCAA: skips(v1alpha1.CheckCAA),
	}
	err := check.Check(ctx, spec.CommonName, dcv.CAIdentities(spec.Source.ResourcePlan.ProductCode))
	_, isRefused := errors.AsType[*dcv.Problem](err)
	switch {
	case err == nil:
		return proceed()
	case isRefused:
		return stall(holdDelay(run.stateAge()), v1alpha1.ReasonDomainRefused, fmt.Sprintf(
			"nothing is ordered yet: %v. It is looked at again without further action; spec.orders.skipChecks of the issuer switches the check off", err))
	case ctx.Err() != nil:
		return failed(ctx.Err())
	case r.Remote.Clock.Since(run.order.CreationTimestamp.Time) < uncheckedPatience:
		return stall(holdFirst, v1alpha1.ReasonDomainRefused, fmt.Sprintf(
			"nothing is ordered yet: %v. It is asked again, and ordered after 10 minutes if there is no answer until then; spec.orders.skipChecks of the issuer switches the check off", err))
	default:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "DomainNotChecked", "Precheck", "it is ordered without a check of its domain: %s", bounded(err.Error(), 800))
		return proceed()
	}
}
