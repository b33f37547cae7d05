// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"math/rand/v2"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// loop lets somebody ask for the names again every so often, for so many days from certs.Start, and returns on which
// days one is ordered.
func (s *spent) loop(days int, every time.Duration) (ordered []int) {
	p := s.next("a", same(0))
	for at := certs.Start; at.Before(certs.Start.Add(time.Duration(days) * Day)); at = at.Add(every) {
		if v := Decide(s, p, at); !v.Fits() {
			holdLoop(s, p.Names, v1alpha1.LoopUnknown, at)
			continue
		}
		CountOrder(s, p, at)
		ordered = append(ordered, int(at.Sub(certs.Start)/Day))
		p = s.next("a", same(0))
	}
	return ordered
}

// TestALoopIsGivenLessAndLess lets it go on for a hundred days.
func TestALoopIsGivenLessAndLess(t *testing.T) {
	for name, every := range map[string]time.Duration{"that never waits": time.Minute,
		"that takes five hours": 5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(1000, v1alpha1.OrderPolicy{})
			got := s.loop(100, every)
			compare.Same(t, got, []int{0, 0, 0, 1, 3, 7, 15, 31, 61, 91})
		})
	}
}

// TestALoopEnds says what lets a day's orders pass again.
func TestALoopEnds(t *testing.T) {
	const nothing = 0
	for name, test := range map[string]struct {
		policy int32
		change func(*spent, time.Time)
		later  time.Duration
		want   int
	}{
		"it goes on":                            {3, func(*spent, time.Time) {}, time.Minute, nothing},
		"the operator says that more are right": {4, func(*spent, time.Time) {}, time.Minute, 4},
		"the operator says that many are right": {20, func(*spent, time.Time) {}, time.Minute, 20},
		"the wait is over, and one is ordered":  {3, func(*spent, time.Time) {}, 7 * Day, 1},
		"nobody has asked since the last, for long": {3, func(s *spent, at time.Time) {
			CountOrder(s, s.next("a", same(0)), at.Add(3*Day))
		}, 5 * Day, 3},
		"the certificate is about to end": {3, func(s *spent, at time.Time) {
			s.issue("www.example.com", at.Add(-199*Day), at.Add(Day), at)
		}, Day, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(1000, v1alpha1.OrderPolicy{})
			compare.Same(t, s.loop(2, time.Minute), []int{0, 0, 0, 1})
			end := certs.Start.Add(2 * Day)
			test.change(s, end)
			s.Spec.Orders.MaxPerDay = &test.policy
			compare.Same(t, s.buy(50, "a", same, end.Add(test.later)), test.want)
		})
	}
}

// TestATallyNeverLetsAnOrderGoTooEarly compares it with a list of all orders.
func TestATallyNeverLetsAnOrderGoTooEarly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	var t1 tally
	var all []time.Time
	for at := certs.Start; at.Before(certs.Start.Add(100 * Day)); at = at.Add(
		time.Duration(random.Int64N(int64(5 * time.Hour)))) {
		t1, all = t1.add(at), append(all, at)
		if len(t1) > 64 {
			t.Fatalf("it has %d entries", len(t1))
		}
		for window, slack := range map[time.Duration]time.Duration{Day: time.Hour, month: Day} {
			exact := func(window time.Duration) (n int64) {
				for _, o := range all {
					if at.Sub(o) < window {
						n++
					}
				}
				return n
			}
			if got := t1.within(window, at); got < exact(window) || got > exact(window+slack) {
				t.Fatalf("it counts %d within %s, and it is %d, or %d in %s more", got, window, exact(window),
					exact(window+slack), slack)
			}
			got := t1.within(window, at)
			if free := t1.freeAt(window, got, at); t1.within(window, free) >= got ||
				t1.within(window, free.Add(-time.Second)) < got {
				t.Fatalf("at %s %d count, and the next is free at %s, which is not so", at, got, free)
			}
		}
	}
}

// TestTheRequestOfTheLaterOrderStays looks at two orders for the same names again and again: that must not write.
func TestTheRequestOfTheLaterOrderStays(t *testing.T) {
	ended := func(id string, at time.Duration) v1alpha1.SeenRequest {
		return v1alpha1.SeenRequest{OrderID: id, At: metav1.NewTime(certs.Start.Add(at))}
	}
	set := NameSet{&v1alpha1.NameSetSpending{}}
	earlier, later := ended("7", 0), ended("8", time.Minute)
	for _, seen := range []v1alpha1.SeenRequest{earlier, later, earlier, later, earlier, ended("", time.Hour)} {
		set.noteRequest(seen)
	}
	compare.Same(t, *set.LastRequest, later)
}
