// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// uncheckedPatience is how long after its creation an Order waits for DNS to answer the checks. Then it is submitted
// without them: the CA may see what this controller cannot.
const uncheckedPatience = 10 * time.Minute

// prechecking looks before an order is paid for.
type prechecking struct {
	*kube
	*outside

	zones *zoneRefusals
}

// precheck looks, for free, at what would make a paid order wait in vain: at each name that has to be proved.
func (r *prechecking) precheck(ctx context.Context, run *orderRun) outcome {
	for _, name := range run.offer.Proves(run.order.Spec.DNSNames) {
		if end := r.checkDomain(ctx, run, name); end.endsRun() {
			return end
		}
		if end := r.checkPlace(ctx, run, name); end.endsRun() {
			return end
		}
	}
	return proceed()
}

func (r *prechecking) checkDomain(ctx context.Context, run *orderRun, name string) outcome {
	check := &dcv.Precheck{SelfCheck: r.Remote.SelfCheck}
	if policy := run.issuer.GetSpec().Orders; policy != nil {
		for _, skipped := range policy.SkipChecks {
			check.Skip = append(check.Skip, dcv.Check(skipped))
		}
	}
	return r.checked(ctx, run, check.Check(ctx, name, run.offer.CAIdentities()), "")
}

// Says whether the issuer leaves a check out.
func skips(run *orderRun, check v1alpha1.DomainCheck) bool {
	policy := run.issuer.GetSpec().Orders
	return policy != nil && slices.Contains(policy.SkipChecks, check)
}

// Says what the error of a check leads to. also is what to do beside what the error says.
func (r *prechecking) checked(ctx context.Context, run *orderRun, err error, also string) outcome {
	_, isRefused := errors.AsType[*dcv.Problem](err)
	switch {
	case err == nil:
		return proceed()
	case isRefused:
		return hold(holdDelay(run.stateAge()), v1alpha1.ReasonDomainRefused, fmt.Sprintf("nothing is ordered "+
			"yet: %v. %s%s", err, also, switchedOff(err)))
	case ctx.Err() != nil:
		return apiError(ctx.Err())
	case r.Remote.Clock.Since(run.order.CreationTimestamp.Time) < uncheckedPatience:
		return hold(holdFirst, v1alpha1.ReasonDomainRefused, fmt.Sprintf(
			"nothing is ordered yet: %v. It is ordered after 10 minutes if there is no answer until then. %s", err,
			switchedOff(err)))
	default:
		r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "DomainNotChecked", "Precheck",
			"it is ordered without a check of its domain: %s", apiserver.Bounded(err.Error(), 800))
		return proceed()
	}
}

// Tells how to switch off the check that an error comes from.
func switchedOff(err error) string {
	check := dcv.ZoneCheck // the look at the place of the record goes by this name, too
	if unpassed, ok := errors.AsType[*dcv.Unpassed](err); ok {
		check = unpassed.Check
	}
	return fmt.Sprintf("The check can be switched off: add %s to spec.orders.skipChecks of the issuer", check)
}
