// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// exhaustedTry is how long one order has the plan for itself that was exhausted when it was last tried.
const exhaustedTry = time.Minute

// maySpend holds an order for reasons that have nothing to do with its own request, and that cost no call to find out.
func (r *OrderReconciler) maySpend(ctx context.Context, run *orderRun) outcome {
	if end := isPaused(run.issuer); end.kind != outcomeProceed {
		return end
	}
	if end := r.mayOrder(ctx, run); end.kind != outcomeProceed {
		return end
	}
	return r.spent.mayTry(run)
}

func isPaused(issuer v1alpha1.GenericIssuer) outcome {
	if policy := issuer.GetSpec().Orders; policy != nil && policy.Paused {
		return stall(0, v1alpha1.ReasonPaused, fmt.Sprintf(
			"the %s %q has spec.orders.paused: nothing is ordered until it is removed", issuer.IssuerKind(), issuer.GetName()))
	}
	return proceed()
}

// spending remembers which plans are exhausted. It is a guard and no fact: it is filled again by the next refusal.
type spending struct {
	mutex     sync.Mutex
	exhausted map[string]time.Time // until when nobody asks again, by plan
}

// mayTry lets one order at a time find out whether an exhausted plan has got certificates again.
func (s *spending) mayTry(run *orderRun) outcome {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	until, isKnown := s.exhausted[plan(run)]
	if !isKnown {
		return proceed()
	}
	if left := until.Sub(run.now); left > 0 {
		return stall(left, v1alpha1.ReasonQuotaExhausted, fmt.Sprintf(
			"the plan for %q has no certificate left: buy more, or delete orders that nobody needs; CAS is asked again at about %s",
			run.order.Spec.Source.ResourcePlan.ProductCode, until.UTC().Format(time.RFC3339)))
	}
	s.exhausted[plan(run)] = run.now.Add(exhaustedTry)
	return proceed()
}

// plan is what all issuers of an account share that order the same product.
func plan(run *orderRun) string {
	return planKey(accountOfIssuer(run.issuer), run.order.Spec.Source.ResourcePlan.ProductCode)
}

// found says what a try has come to.
func (s *spending) found(plan string, isExhausted bool, now time.Time) time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !isExhausted {
		delete(s.exhausted, plan)
		return 0
	}
	if s.exhausted == nil {
		s.exhausted = map[string]time.Time{}
	}
	pause := jitter(holdLongest)
	s.exhausted[plan] = now.Add(pause)
	return pause
}
