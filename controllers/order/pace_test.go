// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// Draws often: every value must be within the bounds, and the values must come within a twentieth of both bounds. The
// probability that a right spread fails this is below 1 in 10^40.
func wantSpread(t *testing.T, draw func() time.Duration, least, most time.Duration) {
	t.Helper()
	low, high := draw(), time.Duration(0)
	for range 2000 {
		d := draw()
		low, high = min(low, d), max(high, d)
	}
	if low < least || high > most {
		t.Errorf("from %s to %s, want from %s to %s", low, high, least, most)
	}
	if margin := (most - least) / 20; low > least+margin || high < most-margin {
		t.Errorf("from %s to %s only, want to fill %s to %s", low, high, least, most)
	}
}

func TestWaitsGrowWithTheAgeOfWhatIsWaitedFor(t *testing.T) {
	tests := map[string]struct {
		delay       func(time.Duration) time.Duration
		age         time.Duration
		least, most time.Duration
	}{
		"a poll at once":           {pollDelay, 0, 10 * time.Second, 12 * time.Second},
		"a poll of the future":     {pollDelay, -time.Hour, 10 * time.Second, 12 * time.Second},
		"a poll after 10 seconds":  {pollDelay, 10 * time.Second, 10 * time.Second, 12 * time.Second},
		"a poll after a minute":    {pollDelay, time.Minute, time.Minute, 72 * time.Second},
		"a poll after 5 minutes":   {pollDelay, 5 * time.Minute, 5 * time.Minute, 6 * time.Minute},
		"a poll after a day":       {pollDelay, 24 * time.Hour, 5 * time.Minute, 6 * time.Minute},
		"a hold at once":           {holdDelay, 0, 30 * time.Second, 36 * time.Second},
		"a hold after two minutes": {holdDelay, 2 * time.Minute, 2 * time.Minute, 144 * time.Second},
		"a hold after a day":       {holdDelay, 24 * time.Hour, 10 * time.Minute, 12 * time.Minute},
		"no wait":                  {jitter, 0, 0, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wantSpread(t, func() time.Duration { return test.delay(test.age) }, test.least, test.most)
		})
	}
}

func TestAnActivityRestsUntilItIsDue(t *testing.T) {
	var p pace
	compare.Same(t, p.remaining("a", activityObserve, noon), time.Duration(0))
	p.next("a", activityObserve, noon.Add(time.Minute))
	compare.Same(t, p.remaining("a", activityObserve, noon), time.Minute)
	compare.Same(t, p.remaining("a", activityObserve, noon.Add(59*time.Second)), time.Second)
	compare.Same(t, p.remaining("a", activityObserve, noon.Add(time.Minute)), time.Duration(0))
	compare.Same(t, p.remaining("a", activityObserve, noon.Add(time.Hour)), time.Duration(0))
	p.next("a", activityObserve, noon.Add(time.Second)) // the last call counts, even with an earlier time
	compare.Same(t, p.remaining("a", activityObserve, noon), time.Second)
}

func TestOrdersAndActivitiesRestApart(t *testing.T) {
	var p pace
	all := []activity{activitySubmit, activityObserve, activityRelease}
	for i, a := range all {
		p.next("a", a, noon.Add(time.Duration(i+1)*time.Minute))
		p.next("b", a, noon.Add(time.Duration(i+1)*time.Hour))
	}
	for i, a := range all {
		compare.Same(t, p.remaining("a", a, noon), time.Duration(i+1)*time.Minute)
		compare.Same(t, p.remaining("b", a, noon), time.Duration(i+1)*time.Hour)
		compare.Same(t, p.remaining("c", a, noon), time.Duration(0))
	}
	p.forget("a")
	p.forget("never heard of")
	for i, a := range all {
		compare.Same(t, p.remaining("a", a, noon), time.Duration(0))
		compare.Same(t, p.remaining("b", a, noon), time.Duration(i+1)*time.Hour)
	}
	p.forget("b")
	compare.Same(t, len(p.due), 0) // nothing of an order outlives it
}

func TestPaceIsKeptForManyAtOnce(t *testing.T) {
	var p pace
	var done sync.WaitGroup
	for i := range 50 {
		order := types.UID(rune('A' + i))
		done.Go(func() {
			p.next(order, activityObserve, noon.Add(time.Minute))
			compare.Same(t, p.remaining(order, activityObserve, noon), time.Minute)
			p.forget(order)
		})
	}
	done.Wait()
	compare.Same(t, len(p.due), 0)
}
