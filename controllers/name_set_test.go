// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// loop lets somebody ask for the names again every so often, for so many days, and returns on which days one is ordered.
func (s *spent) loop(days int, every time.Duration, begin time.Time) (ordered []int) {
	p := s.next("a", same(0))
	for at := begin; at.Before(begin.Add(time.Duration(days) * day)); at = at.Add(every) {
		if v := decide(s, p, at); !v.fits() {
			holdLoop(s, p.names, v1alpha1.LoopUnknown, at)
			continue
		}
		countOrder(s, p, at)
		ordered = append(ordered, int(at.Sub(begin)/day))
		p = s.next("a", same(0))
	}
	return ordered
}

// TestALoopIsGivenLessAndLess lets it go on for a hundred days.
func TestALoopIsGivenLessAndLess(t *testing.T) {
	for name, every := range map[string]time.Duration{"that never waits": time.Minute, "that takes five hours": 5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(1000, v1alpha1.OrderPolicy{})
			got := s.loop(100, every, noon)
			wantSame(t, got, []int{0, 0, 0, 1, 3, 7, 15, 31, 61, 91})
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
		"the wait is over, and one is ordered":  {3, func(*spent, time.Time) {}, 7 * day, 1},
		"nobody has asked since the last, for long": {3, func(s *spent, at time.Time) {
			countOrder(s, s.next("a", same(0)), at.Add(3*day))
		}, 5 * day, 3},
		"the certificate is about to end": {3, func(s *spent, at time.Time) {
			s.issue("www.example.com", at.Add(-199*day), at.Add(day), at)
		}, day, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := issuerWith(1000, v1alpha1.OrderPolicy{})
			wantSame(t, s.loop(2, time.Minute, noon), []int{0, 0, 0, 1})
			end := noon.Add(2 * day)
			test.change(s, end)
			s.Spec.Orders.MaxPerDay = &test.policy
			wantSame(t, s.buy(50, "a", same, end.Add(test.later)), test.want)
		})
	}
}

// TestATallyNeverLetsAnOrderGoTooEarly compares it with a list of all orders.
func TestATallyNeverLetsAnOrderGoTooEarly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	var t1 tally
	var all []time.Time
	for at := noon; at.Before(noon.Add(100 * day)); at = at.Add(time.Duration(random.Int64N(int64(5 * time.Hour)))) {
		t1, all = t1.add(at), append(all, at)
		if len(t1) > 64 {
			t.Fatalf("it has %d entries", len(t1))
		}
		for window, slack := range map[time.Duration]time.Duration{day: time.Hour, month: day} {
			exact := func(window time.Duration) (n int64) {
				for _, o := range all {
					if at.Sub(o) < window {
						n++
					}
				}
				return n
			}
			if got := t1.within(window, at); got < exact(window) || got > exact(window+slack) {
				t.Fatalf("it counts %d within %s, and it is %d, or %d in %s more", got, window, exact(window), exact(window+slack), slack)
			}
			got := t1.within(window, at)
			if free := t1.freeAt(window, got, at); t1.within(window, free) >= got || t1.within(window, free.Add(-time.Second)) < got {
				t.Fatalf("at %s %d count, and the next is free at %s, which is not so", at, got, free)
			}
		}
	}
}
