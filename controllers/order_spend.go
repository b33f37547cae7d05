// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const (
	// defaultMaxPerDay is how many orders for the same names a day are no loop.
	defaultMaxPerDay = 3
	day              = 24 * time.Hour
	// exhaustedTry is how long one order has the plan for itself that was exhausted when it was last tried.
	exhaustedTry = time.Minute
)

// maySpend holds an order for reasons that have nothing to do with its own request, and that cost no call to find out.
func (r *OrderReconciler) maySpend(ctx context.Context, run *orderRun) outcome {
	if end := isPaused(run.issuer); end.kind != outcomeProceed {
		return end
	}
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, orders); err != nil {
		return failed(err)
	}
	if end := r.spent.mayOrder(run, orders.Items); end.kind != outcomeProceed {
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

// spending remembers what was bought, and which plans are exhausted. Both are guards and no facts: the first is
// filled again from living Orders and from what these remember of others, the second by the next refusal.
type spending struct {
	mutex     sync.Mutex
	orders    map[string]map[time.Time]bool // when submissions for the same names began, by issuer and names
	exhausted map[string]time.Time          // until when nobody asks again, by plan
}

// window is what a loop would order again and again.
func window(order *v1alpha1.AliyunOrder) string {
	ref, namespace := order.Spec.IssuerRef, order.Namespace
	names := slices.Sorted(slices.Values(order.Spec.DNSNames))
	return strings.Join(append([]string{ref.Kind, namespace, ref.Name}, names...), "/")
}

// mayOrder holds the order that is one too many in a day. cert-manager prunes requests, and their Orders with them, so
// the count of living Orders alone would not do.
func (s *spending) mayOrder(run *orderRun, living []v1alpha1.AliyunOrder) outcome {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	key := window(run.order)
	if s.orders == nil {
		s.orders = map[string]map[time.Time]bool{}
	}
	began := s.orders[key]
	if began == nil {
		began = map[time.Time]bool{}
		s.orders[key] = began
	}
	for i := range living {
		if submission := living[i].Status.Submission; submission != nil && window(&living[i]) == key {
			for _, at := range slices.Concat(submission.Earlier, []metav1.Time{submission.StartedAt}) {
				began[at.UTC()] = true
			}
		}
	}
	times := make([]time.Time, 0, len(began))
	for at := range began {
		if run.now.Sub(at) >= day {
			delete(began, at)
			continue
		}
		times = append(times, at)
	}
	limit := maxPerDay(run.issuer)
	if len(times) < limit {
		return proceed()
	}
	slices.SortFunc(times, time.Time.Compare)
	until := times[len(times)-limit].Add(day)
	return stall(min(until.Sub(run.now), time.Hour), v1alpha1.ReasonOrderRateExceeded, fmt.Sprintf(
		"%d orders for the same names were submitted in the last 24 hours, the first at %s: something asks for this certificate again and again, such as a Secret that is deleted in a loop. "+
			"The next one is ordered at %s; if so many are right, set spec.orders.maxPerDay of the %s %q",
		len(times), times[0].Format(time.RFC3339), until.Format(time.RFC3339), run.issuer.IssuerKind(), run.issuer.GetName()))
}

func maxPerDay(issuer v1alpha1.GenericIssuer) int {
	if policy := issuer.GetSpec().Orders; policy != nil && policy.MaxPerDay != nil {
		return int(*policy.MaxPerDay)
	}
	return defaultMaxPerDay
}

// maxEarlier is how many submissions an Order remembers: as many as may be allowed in a day.
const maxEarlier = 1000

// earlier are the times that mayOrder has counted, for the Order to remember when those of others are gone.
func (s *spending) earlier(order *v1alpha1.AliyunOrder) []metav1.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	times := slices.SortedFunc(maps.Keys(s.orders[window(order)]), time.Time.Compare)
	var stamps []metav1.Time
	for _, at := range times[max(len(times)-maxEarlier, 0):] {
		stamps = append(stamps, metav1.NewTime(at))
	}
	return stamps
}

// began counts a submission that is about to be made; refused takes back one that bought nothing.
func (s *spending) began(order *v1alpha1.AliyunOrder) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.orders[window(order)][order.Status.Submission.StartedAt.UTC()] = true
}

func (s *spending) refused(order *v1alpha1.AliyunOrder, startedAt time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.orders[window(order)], startedAt.UTC())
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
