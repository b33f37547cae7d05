// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

const product = "digicert-free-1-free"

// spent is an issuer whose plan had so many certificates left shortly before certs.Start.
type spent struct {
	*v1alpha1.AliyunClusterIssuer
	orders int
	// left is what the plan has at CAS now.
	left int64
}

func issuerWith(free int64, policy v1alpha1.OrderPolicy) *spent {
	issuer := &v1alpha1.AliyunClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: "cas"}}
	issuer.Spec.Orders = &policy
	issuer.Status.Supply = &v1alpha1.Supply{Product: product, Total: free, Free: free,
		ObservedAt: metav1.NewTime(certs.Start.Add(-2 * SubmissionLasts))}
	return &spent{AliyunClusterIssuer: issuer, left: free}
}

func (s *spent) next(namespace, names string) Demand {
	s.orders++
	return Demand{Order: types.UID(fmt.Sprintf("order-%d", s.orders)), Namespace: namespace, Product: product,
		Names: names}
}

// Orders n times, and returns how many orders passed while CAS had a certificate left.
func (s *spent) buy(n int, namespace string, names func(int) string, at time.Time) (bought int) {
	for i := range n {
		p := s.next(namespace, names(i))
		if !Decide(s, p, at).Fits() {
			continue
		}
		CountOrder(s, p, at)
		if s.left == 0 {
			TakeBack(s, p, at)
			continue
		}
		s.left--
		bought++
	}
	return bought
}

func (s *spent) issue(names string, notBefore, notAfter, at time.Time) {
	changeNameSet(spendingOf(s), NamesHash([]string{names}), at,
		func(set NameSet) { set.noteCertificate(notBefore, notAfter) })
}

func different(i int) string { return NamesHash([]string{fmt.Sprintf("n%d.example.com", i)}) }

func same(int) string { return NamesHash([]string{"www.example.com"}) }

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
		free   int64
		policy v1alpha1.OrderPolicy
		want   []int // each day
	}{
		"half of a plan is kept each day, and one in the end": {20, v1alpha1.OrderPolicy{}, []int{10, 5, 3, 1, 0, 0}},
		"half of a big plan is kept, and a hundred a day go":  {1000, v1alpha1.OrderPolicy{}, []int{100, 100, 100}},
		"one certificate can be ordered":                      {1, v1alpha1.OrderPolicy{}, []int{1, 0}},
		"the last of two is kept":                             {2, v1alpha1.OrderPolicy{}, []int{1, 0, 0}},
		"a number is kept":                                    {20, keep(intstr.FromInt32(4)), []int{16, 0, 0}},
		"a part is kept": {20, keep(intstr.FromString("90%")),
			[]int{2, 2, 2, 2, 2, 1}},
		"nothing is kept": {20, keep(intstr.FromInt32(0)), []int{20, 0}},
		"all is kept":     {20, keep(intstr.FromString("100%")), []int{0, 0}},
		"a budget for the namespace": {
			1000, v1alpha1.OrderPolicy{Budget: &v1alpha1.OrderBudget{Namespace: limits(7, 10)}}, []int{7, 3, 0}},
		"a budget for all": {1000, v1alpha1.OrderPolicy{Budget: &v1alpha1.OrderBudget{Issuer: limits(7, 10)}},
			[]int{7, 3, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(test.free, test.policy)
			for i, want := range test.want {
				at := certs.Start.Add(time.Duration(i) * (Day + time.Hour))
				got := s.buy(200, "previews", func(n int) string { return different(1000*i + n) }, at)
				compare.Same(t, got, want)
				for n := range got {
					s.issue(fmt.Sprintf("n%d.example.com", 1000*i+n), at, at.Add(200*Day), at)
				}
				s.Status.Supply.Free, s.Status.Supply.ObservedAt = s.left, metav1.NewTime(at.Add(time.Hour))
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
		want      Ruling
	}{
		"nothing was ordered": {names: different},
		"a day's orders of the issuer": {
			policy: budget(v1alpha1.OrderBudget{Issuer: limits(2, 0)}), names: different, namespace: "b",
			before: func(s *spent) {
				s.buy(2, "a", func(i int) string { return different(i + 10) }, certs.Start.Add(-time.Hour))
			},
			want: Ruling{Reason: v1alpha1.ReasonBudgetExceeded, Until: certs.Start.Add(23 * time.Hour),
				Message: `all namespaces together have ordered 2 certificates from the AliyunClusterIssuer "cas" in ` +
					`the last 24 hours, and its budget is 2: ` +
					`the next one is ordered at 2026-11-24T11:00:00Z. If so many are right, set ` +
					`spec.orders.budget.issuer.perDay of the AliyunClusterIssuer "cas" to more than 2`},
		},
		"30 days' orders of the namespace": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(0, 2)}), names: different, namespace: "a",
			before: func(s *spent) {
				s.buy(2, "a", func(i int) string { return different(i + 10) }, certs.Start.Add(-2*Day))
			},
			want: Ruling{Reason: v1alpha1.ReasonBudgetExceeded, Until: certs.Start.Add(28 * Day),
				Message: `the namespace ` +
					`"a" has ordered 2 certificates from the AliyunClusterIssuer "cas" in the last 30 days, and its ` +
					`budget is 2: ` +
					`the next one is ordered at 2026-12-21T12:00:00Z. If so many are right, set ` +
					`spec.orders.budget.namespace.per30Days of the AliyunClusterIssuer "cas" to more than 2`},
		},
		"30 days' orders of another namespace": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(0, 2)}), names: different, namespace: "b",
			before: func(s *spent) {
				s.buy(2, "a", func(i int) string { return different(i + 10) }, certs.Start.Add(-2*Day))
			},
		},
		"the reserve": {
			names: different, namespace: "a",
			before: func(s *spent) {
				s.buy(99, "b", func(i int) string { return different(i + 10) }, certs.Start.Add(-time.Minute))
			},
			want: Ruling{Reason: v1alpha1.ReasonReservedForRenewals, Until: certs.Start.Add(Day - time.Minute),
				Message: `the plan for "digicert-free-1-free" has 10 certificates left, and 10, 50% of what it had ` +
					`a day ago, are kept for renewals: ` +
					`these names have had no certificate from the AliyunClusterIssuer "cas" yet. What is kept is ` +
					`counted anew at 2026-11-24T11:59:00Z. ` +
					`Buy more for the plan, or set spec.orders.reserve of the AliyunClusterIssuer "cas" to less than 10`},
		},
		"the reserve, and nothing left": {
			names: different, namespace: "a",
			before: func(s *spent) {
				s.buy(1, "b", different, certs.Start.Add(-time.Minute))
				s.Status.Supply.Free = 0
			},
			want: Ruling{Reason: v1alpha1.ReasonQuotaExhausted, Until: certs.Start.Add(Day - time.Minute),
				Message: `the plan for "digicert-free-1-free" has no certificate left: ` +
					`buy more, or delete orders that nobody needs. Its numbers are read every minute`},
		},
		"the reserve, and numbers that may be old": {
			names: different, namespace: "a",
			before: func(s *spent) {
				s.buy(1, "b", different, certs.Start.Add(-time.Minute))
				s.Status.Supply.Free = 1
			},
			want: Ruling{Reason: v1alpha1.ReasonReservedForRenewals, Until: certs.Start.Add(Day - time.Minute),
				Message: `the plan for "digicert-free-1-free" had 1 certificates left by its last numbers, ` +
					`in which the orders of the last minute may be missing. They are read every minute`},
		},
		"the reserve, and nothing on record": {
			names: different, namespace: "a",
			policy: v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(5))},
			before: func(s *spent) { s.Status.Supply.Free = 2 },
			want: Ruling{Reason: v1alpha1.ReasonReservedForRenewals,
				Message: `the plan for "digicert-free-1-free" has 2 certificates left, and 5 are kept for renewals: ` +
					`these names have had no certificate from the AliyunClusterIssuer "cas" yet. Buy more for the ` +
					`plan, or set spec.orders.reserve of the AliyunClusterIssuer "cas" to less than 2`},
		},
		"the reserve, and a renewal": {
			names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", certs.Start.Add(-Day), certs.Start.Add(199*Day), certs.Start)
				s.buy(99, "b", different, certs.Start.Add(-time.Minute))
			},
		},
		"the reserve, and a renewal that comes too late": {
			names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", certs.Start.Add(-210*Day), certs.Start.Add(-10*Day), certs.Start)
				s.buy(99, "b", different, certs.Start.Add(-time.Minute))
			},
		},
		"a budget, and an early renewal": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(2, 0)}), names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", certs.Start.Add(-130*Day), certs.Start.Add(70*Day), certs.Start)
				s.buy(2, "a", different, certs.Start)
			},
			want: Ruling{Reason: v1alpha1.ReasonBudgetExceeded, Until: certs.Start.Add(Day),
				Message: `the namespace "a" ` +
					`has ordered 2 certificates from the AliyunClusterIssuer "cas" in the last 24 hours, and its ` +
					`budget is 2: ` +
					`the next one is ordered at 2026-11-24T12:00:00Z. If so many are right, set ` +
					`spec.orders.budget.namespace.perDay of the AliyunClusterIssuer "cas" to more than 2`},
		},
		"a budget, and a renewal that is due": {
			policy: budget(v1alpha1.OrderBudget{Namespace: limits(2, 0), Issuer: limits(2, 2)}), names: same,
			namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", certs.Start.Add(-135*Day), certs.Start.Add(65*Day), certs.Start)
				s.buy(2, "a", different, certs.Start)
			},
		},
		"three orders for the names, from two namespaces": {
			names: same, namespace: "b",
			before: func(s *spent) {
				s.buy(2, "a", same, certs.Start.Add(-2*time.Hour))
				s.buy(1, "b", same, certs.Start.Add(-time.Hour))
			},
			want: Ruling{Reason: v1alpha1.ReasonOrderRateExceeded, Until: certs.Start.Add(22 * time.Hour)},
		},
		"three orders for the names, by another namespace, and a certificate that is about to end": {
			names: same, namespace: "b",
			before: func(s *spent) {
				s.issue("www.example.com", certs.Start.Add(-135*Day), certs.Start.Add(65*Day), certs.Start)
				s.buy(3, "a", same, certs.Start.Add(-2*time.Hour))
			},
		},
		"three orders for the names, by the same namespace, and a certificate that is about to end": {
			names: same, namespace: "a",
			before: func(s *spent) {
				s.issue("www.example.com", certs.Start.Add(-135*Day), certs.Start.Add(65*Day), certs.Start)
				s.buy(3, "a", same, certs.Start.Add(-2*time.Hour))
			},
			want: Ruling{Reason: v1alpha1.ReasonOrderRateExceeded, Until: certs.Start.Add(22 * time.Hour)},
		},
		"three orders for the names, one of them long ago": {
			names: same, namespace: "b",
			before: func(s *spent) {
				s.buy(1, "a", same, certs.Start.Add(-Day))
				s.buy(2, "b", same, certs.Start.Add(-time.Hour))
			},
		},
		"a plan that is not known": {
			names: different, before: func(s *spent) { s.Status.Supply.Product = "another" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(20, test.policy)
			if test.before != nil {
				test.before(s)
			}
			got := Decide(s, s.next(test.namespace, test.names(1)), certs.Start)
			got.Until, test.want.Until = got.Until.UTC(), test.want.Until.UTC()
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
		at := certs.Start.Add(time.Duration(i) * time.Hour)
		if v := Decide(s, p, at); !v.Fits() {
			t.Fatalf("its own count holds it: %+v", v)
		}
		CountOrder(s, p, at)
	}
	compare.Same(t, tally(s.Status.Spending.Orders).within(Day, certs.Start.Add(3*time.Hour)), int64(1))
	if Decide(s, s.next("a", same(0)), certs.Start).Fits() {
		t.Error("another order for the names passes")
	}
	TakeBack(s, p, certs.Start.Add(4*time.Hour))
	TakeBack(s, p, certs.Start.Add(4*time.Hour))
	compare.Same(t, len(s.Status.Spending.Orders)+len(s.Status.Spending.Namespaces)+len(s.Status.Spending.NameSets), 0)
}

// TestMoreForThePlanIsThereForNewNamesAtOnce lets somebody buy more while names are held.
func TestMoreForThePlanIsThereForNewNamesAtOnce(t *testing.T) {
	s := issuerWith(20, v1alpha1.OrderPolicy{})
	compare.Same(t, s.buy(30, "a", different, certs.Start), 10)
	s.left += 100
	s.Status.Supply.Free, s.Status.Supply.ObservedAt = s.left, metav1.NewTime(certs.Start.Add(5*time.Minute))
	compare.Same(t, s.buy(100, "a", func(i int) string { return different(100 + i) }, certs.Start.Add(6*time.Minute)),
		55)
}
