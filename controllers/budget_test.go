// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const product = "digicert-free-1-free"

// spent is an issuer of a plan with so many certificates left, as CAS told a minute ago and at noon.
type spent struct {
	*v1alpha1.AliyunClusterIssuer
	orders int
	// left is what CAS has.
	left int64
}

func issuerWith(remaining int64, policy v1alpha1.OrderPolicy) *spent {
	issuer := &v1alpha1.AliyunClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: "cas"}}
	issuer.Spec.Orders = &policy
	issuer.Status.Package = &v1alpha1.PackageStatus{ProductCode: product, Total: remaining, Remaining: remaining, ObservedAt: metav1.NewTime(noon.Add(-2 * inDoubt))}
	return &spent{AliyunClusterIssuer: issuer, left: remaining}
}

func (s *spent) next(namespace, names string) demand {
	s.orders++
	return demand{order: types.UID(fmt.Sprintf("order-%d", s.orders)), namespace: namespace, product: product, names: names}
}

// buy orders n times, and returns how often that was let pass, and CAS had a certificate left.
func (s *spent) buy(n int, namespace string, names func(int) string, at time.Time) (bought int) {
	for i := range n {
		p := s.next(namespace, names(i))
		if !decide(s, p, at).fits() {
			continue
		}
		countOrder(s, p, at)
		if s.left == 0 {
			takeBack(s, p, at)
			continue
		}
		s.left--
		bought++
	}
	return bought
}

func (s *spent) issue(names string, notBefore, notAfter, at time.Time) {
	order := &v1alpha1.AliyunOrder{}
	order.Spec.DNSNames = []string{names}
	issuedTo(s, order, notBefore, notAfter, at)
}

func different(i int) string { return namesHash([]string{fmt.Sprintf("n%d.example.com", i)}) }

func same(int) string { return namesHash([]string{"www.example.com"}) }

func limits(perDay, per30Days int32) v1alpha1.OrderLimits {
	var l v1alpha1.OrderLimits
	if perDay > 0 {
		l.PerDay = &perDay
	}
	if per30Days > 0 {
		l.Per30Days = &per30Days
	}
	return l
}

func keep(reserve intstr.IntOrString) v1alpha1.OrderPolicy {
	return v1alpha1.OrderPolicy{Reserve: &reserve}
}

// TestARunawayIsHeldBeforeThePlanIsEmpty buys for generated names, in a burst each day, until nothing passes any more.
func TestARunawayIsHeldBeforeThePlanIsEmpty(t *testing.T) {
	for name, test := range map[string]struct {
		remaining int64
		policy    v1alpha1.OrderPolicy
		want      []int // each day
	}{
		"half of a plan is kept each day, and one in the end": {20, v1alpha1.OrderPolicy{}, []int{10, 5, 3, 1, 0, 0}},
		"half of a big plan is kept, and a hundred a day go":  {1000, v1alpha1.OrderPolicy{}, []int{100, 100, 100}},
		"one certificate can be ordered":                      {1, v1alpha1.OrderPolicy{}, []int{1, 0}},
		"the last of two is kept":                             {2, v1alpha1.OrderPolicy{}, []int{1, 0, 0}},
		"a number is kept":                                    {20, keep(intstr.FromInt32(4)), []int{16, 0, 0}},
		"a part is kept":                                      {20, keep(intstr.FromString("90%")), []int{2, 2, 2, 2, 2, 1}},
		"nothing is kept":                                     {20, keep(intstr.FromInt32(0)), []int{20, 0}},
		"all is kept":                                         {20, keep(intstr.FromString("100%")), []int{0, 0}},
		"a budget for the namespace":                          {1000, v1alpha1.OrderPolicy{Budget: &v1alpha1.OrderBudget{Namespace: limits(7, 10)}}, []int{7, 3, 0}},
		"a budget for all":                                    {1000, v1alpha1.OrderPolicy{Budget: &v1alpha1.OrderBudget{Issuer: limits(7, 10)}}, []int{7, 3, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(test.remaining, test.policy)
			for i, want := range test.want {
				at := noon.Add(time.Duration(i) * (day + time.Hour))
				got := s.buy(200, "previews", func(n int) string { return different(1000*i + n) }, at)
				wantSame(t, got, want)
				for n := range got {
					s.issue(fmt.Sprintf("n%d.example.com", 1000*i+n), at, at.Add(200*day), at)
				}
				s.Status.Package.Remaining, s.Status.Package.ObservedAt = s.left, metav1.NewTime(at.Add(time.Hour))
			}
		})
	}
}

// TestWhatIsHeldIsToldWithWhatEndsIt has one case for each bound.
func TestWhatIsHeldIsToldWithWhatEndsIt(t *testing.T) {
	budget := func(b v1alpha1.OrderBudget) v1alpha1.OrderPolicy { return v1alpha1.OrderPolicy{Budget: &b} }
	for name, test := range map[string]struct {
		policy    v1alpha1.OrderPolicy
		before    func(*spent)
		names     func(int) string
		namespace string
		want      ruling
	}{
		"nothing was ordered": {names: different},
		"a day's orders of the issuer": {
			policy: budget(v1alpha1.OrderBudget{Issuer: limits(2, 0)}), names: different, namespace: "b",
			before: func(s *spent) { s.buy(2, "a", func(i int) string { return different(i + 10) }, noon.Add(-time.Hour)) },
			want: ruling{reason: v1alpha1.ReasonBudgetExceeded, until: noon.Add(23 * time.Hour), message: `all namespaces together have ordered 2 certificates from the AliyunClusterIssuer "cas" in the last 24 hours, and its budget is 2: ` +
				`the next one is ordered at 2026-11-24T11:00:00Z. If so many are right, set spec.orders.budget.issuer.perDay of the AliyunClusterIssuer "cas" to more than 2`},
		},
		"30 days' orders of the namespace": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(0, 2)}), names: different, namespace: "a",
			before: func(s *spent) { s.buy(2, "a", func(i int) string { return different(i + 10) }, noon.Add(-2*day)) },
			want: ruling{reason: v1alpha1.ReasonBudgetExceeded, until: noon.Add(28 * day), message: `the namespace "a" has ordered 2 certificates from the AliyunClusterIssuer "cas" in the last 30 days, and its budget is 2: ` +
				`the next one is ordered at 2026-12-21T12:00:00Z. If so many are right, set spec.orders.budget.namespace.per30Days of the AliyunClusterIssuer "cas" to more than 2`},
		},
		"30 days' orders of another namespace": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(0, 2)}), names: different, namespace: "b",
			before: func(s *spent) { s.buy(2, "a", func(i int) string { return different(i + 10) }, noon.Add(-2*day)) },
		},
		"the reserve": {
			names: different, namespace: "a",
			before: func(s *spent) {
				s.buy(99, "b", func(i int) string { return different(i + 10) }, noon.Add(-time.Minute))
			},
			want: ruling{reason: v1alpha1.ReasonReservedForRenewals, until: noon.Add(day - time.Minute), message: `the plan for "digicert-free-1-free" has 10 certificates left, and 10, 50% of what it had a day ago, are kept for renewals: ` +
				`these names have had no certificate from the AliyunClusterIssuer "cas" yet. It is looked at again within 12 minutes, and what is kept is counted anew at 2026-11-24T11:59:00Z. ` +
				`Buy more for the plan, or set spec.orders.reserve of the AliyunClusterIssuer "cas" to less than 10`},
		},
		"the reserve, and a renewal": {
			names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", noon.Add(-day), noon.Add(199*day), noon)
				s.buy(99, "b", different, noon.Add(-time.Minute))
			},
		},
		"the reserve, and a renewal that comes too late": {
			names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", noon.Add(-210*day), noon.Add(-10*day), noon)
				s.buy(99, "b", different, noon.Add(-time.Minute))
			},
		},
		"a budget, and an early renewal": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(2, 0)}), names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", noon.Add(-130*day), noon.Add(70*day), noon)
				s.buy(2, "a", different, noon)
			},
			want: ruling{reason: v1alpha1.ReasonBudgetExceeded, until: noon.Add(day), message: `the namespace "a" has ordered 2 certificates from the AliyunClusterIssuer "cas" in the last 24 hours, and its budget is 2: ` +
				`the next one is ordered at 2026-11-24T12:00:00Z. If so many are right, set spec.orders.budget.namespace.perDay of the AliyunClusterIssuer "cas" to more than 2`},
		},
		"a budget, and a renewal that is due": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(2, 0), Issuer: limits(2, 2)}), names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", noon.Add(-135*day), noon.Add(65*day), noon)
				s.buy(2, "a", different, noon)
			},
		},
		"three orders for the names, from two namespaces": {
			names: same, namespace: "b",
			before: func(s *spent) { s.buy(2, "a", same, noon.Add(-2*time.Hour)); s.buy(1, "b", same, noon.Add(-time.Hour)) },
			want:   ruling{reason: v1alpha1.ReasonOrderRateExceeded, until: noon.Add(22 * time.Hour)},
		},
		"three orders for the names, by another namespace, and a certificate that is about to end": {
			names: same, namespace: "b",
			before: func(s *spent) {
				s.issue("www.example.com", noon.Add(-135*day), noon.Add(65*day), noon)
				s.buy(3, "a", same, noon.Add(-2*time.Hour))
			},
		},
		"three orders for the names, by the same namespace, and a certificate that is about to end": {
			names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", noon.Add(-135*day), noon.Add(65*day), noon)
				s.buy(3, "a", same, noon.Add(-2*time.Hour))
			},
			want: ruling{reason: v1alpha1.ReasonOrderRateExceeded, until: noon.Add(22 * time.Hour)},
		},
		"three orders for the names, one of them long ago": {
			names: same, namespace: "b",
			before: func(s *spent) { s.buy(1, "a", same, noon.Add(-day)); s.buy(2, "b", same, noon.Add(-time.Hour)) },
		},
		"a plan that is not known": {
			names: different, before: func(s *spent) { s.Status.Package.ProductCode = "another" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(20, test.policy)
			if test.before != nil {
				test.before(s)
			}
			got := decide(s, s.next(test.namespace, test.names(1)), noon)
			got.until, test.want.until = got.until.UTC(), test.want.until.UTC()
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// TestAnOrderCountsOnceHoweverOftenItIsSubmitted lets it be charged again after a crash, and taken back once.
func TestAnOrderCountsOnceHoweverOftenItIsSubmitted(t *testing.T) {
	s := issuerWith(20, v1alpha1.OrderPolicy{MaxPerDay: new(int32(1))})
	p := s.next("a", same(0))
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Hour)
		if v := decide(s, p, at); !v.fits() {
			t.Fatalf("its own count holds it: %+v", v)
		}
		countOrder(s, p, at)
	}
	wantSame(t, tally(s.Status.Spending.Orders).within(day, noon.Add(3*time.Hour)), int64(1))
	if decide(s, s.next("a", same(0)), noon).fits() {
		t.Error("another order for the names passes")
	}
	takeBack(s, p, noon.Add(4*time.Hour))
	takeBack(s, p, noon.Add(4*time.Hour))
	wantSame(t, len(s.Status.Spending.Orders)+len(s.Status.Spending.Namespaces)+len(s.Status.Spending.NameSets), 0)
}

// TestMoreForThePlanIsThereForNewNamesAtOnce lets somebody buy more while names are held.
func TestMoreForThePlanIsThereForNewNamesAtOnce(t *testing.T) {
	s := issuerWith(20, v1alpha1.OrderPolicy{})
	wantSame(t, s.buy(30, "a", different, noon), 10)
	s.left += 100
	s.Status.Package.Remaining, s.Status.Package.ObservedAt = s.left, metav1.NewTime(noon.Add(5*time.Minute))
	wantSame(t, s.buy(100, "a", func(i int) string { return different(100 + i) }, noon.Add(6*time.Minute)), 55)
}
