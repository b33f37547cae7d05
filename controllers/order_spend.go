// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const (
	// exhaustedTry is how long one order has the plan for itself that was exhausted when it was last tried.
	exhaustedTry = time.Minute
)

// maySpend holds an order for reasons that have nothing to do with its own request.
func (r *OrderReconciler) maySpend(ctx context.Context, run *orderRun) outcome {
	if end := isPaused(run.issuer); end.kind != outcomeProceed {
		return end
	}
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, orders); err != nil {
		return failed(err)
	}
	if end := r.inDoubtElsewhere(ctx, run, orders.Items); end.kind != outcomeProceed {
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

// inDoubtElsewhere lets only one order for a name be in doubt: two could not be told apart in a listing.
func (r *OrderReconciler) inDoubtElsewhere(ctx context.Context, run *orderRun, orders []v1alpha1.AliyunOrder) outcome {
	name := listed(run.order)
	for i := range orders {
		if other := &orders[i]; other.UID != run.order.UID && isInDoubt(other) && listed(other) == name {
			return waitForDoubt(other)
		}
	}
	// The cache may not show yet what this process wrote a moment ago.
	self := client.ObjectKeyFromObject(run.order)
	key, isOther := r.submitting.LoadOrStore(name, self)
	if other := key.(types.NamespacedName); isOther && other != self {
		fresh := &v1alpha1.AliyunOrder{}
		err := r.APIReader.Get(ctx, other, fresh)
		if client.IgnoreNotFound(err) != nil {
			return failed(err)
		}
		if err == nil && isInDoubt(fresh) {
			return waitForDoubt(fresh)
		}
		isKnown := func(o v1alpha1.AliyunOrder) bool {
			return o.UID == fresh.UID && o.ResourceVersion == fresh.ResourceVersion
		}
		if err == nil && !slices.ContainsFunc(orders, isKnown) {
			return rest(time.Second) // what it has ordered may be for this one to take over
		}
		r.submitting.Store(name, self)
	}
	return proceed()
}

// listed is what orders share that one listing could confuse.
func listed(order *v1alpha1.AliyunOrder) string {
	return site(order) + " " + baseName(order.Spec.CommonName)
}

func isInDoubt(order *v1alpha1.AliyunOrder) bool {
	status := order.Status
	return status.Submission != nil && status.OrderID == "" && status.HandedOverTo == "" && (status.Release == nil || status.Release.Outcome == "")
}

func waitForDoubt(other *v1alpha1.AliyunOrder) outcome {
	return stall(holdFirst, v1alpha1.ReasonAmbiguousSubmission, fmt.Sprintf(
		"what became of the submission of the AliyunOrder %q in the namespace %q for the same name is not known yet: this one is submitted once that is settled", other.Name, other.Namespace))
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

// plan is what all issuers of an account share that order the same product. An issuer whose account is not known has it
// for itself.
func plan(run *orderRun) string {
	account := string(run.issuer.GetUID())
	if identity := run.issuer.GetStatus().Identity; identity != nil {
		account = identity.AccountID
	}
	return account + " " + run.order.Spec.Source.ResourcePlan.ProductCode
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
