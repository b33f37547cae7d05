// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

var errTest = errors.New("it does not work")

func TestAnEffortIsSpentByTriesAndByTime(t *testing.T) {
	const bound = 2 * time.Minute
	tests := map[string]struct {
		at   []time.Duration
		want bool
	}{
		"many tries in no time":        {[]time.Duration{0, 1, 2, 3, 4, 5, 6, 7}, false},
		"few tries in much time":       {[]time.Duration{0, time.Hour}, false},
		"one try after any time":       {[]time.Duration{time.Hour}, false},
		"enough tries in enough time":  {[]time.Duration{0, time.Minute, bound}, true},
		"enough tries a moment before": {[]time.Duration{0, time.Minute, bound - 1}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var e efforts
			var made effort
			var last time.Time
			for _, at := range test.at {
				last = noon.Add(at)
				made = e.tried("a", activityRelease, bound, last, errTest)
			}
			compare.Same(t, made.isSpent(last), test.want)
		})
	}
}

func TestAThrottleIsNoTry(t *testing.T) {
	for name, err := range map[string]error{
		"of Alibaba Cloud":  &cas.Error{Kind: cas.KindThrottled},
		"of the API server": apierrors.NewTooManyRequests("later", 1),
	} {
		t.Run(name, func(t *testing.T) {
			var e efforts
			for i := range 100 {
				now := noon.Add(time.Duration(i) * time.Minute)
				if made := e.tried("a", activityCleanUp, time.Minute, now, err); made.isSpent(now) ||
					made.age(now) != 0 {
					t.Fatalf("after %d throttles it is %+v", i+1, made)
				}
			}
			compare.Same(t, len(e.made), 0)
		})
	}
}

func TestAShortenedBoundBeginsAnew(t *testing.T) {
	var e efforts
	for i := range 10 {
		e.tried("a", activityRelease, releaseBound, noon.Add(time.Duration(i)*time.Minute), nil)
	}
	now := noon.Add(9 * time.Minute)
	made := e.tried("a", activityRelease, namespaceBound, now, nil)
	if want := (effort{bound: namespaceBound, since: now, tries: 1}); made != want {
		t.Errorf("it is %+v, want %+v", made, want)
	}
}

func TestEffortsOfOrdersAndActivitiesAreApartAndLeaveNothing(t *testing.T) {
	var e efforts
	orders, activities := []types.UID{"a", "b"}, []activity{activityRelease, activityCleanUp, activityGone}
	for _, order := range orders {
		for _, a := range activities {
			compare.Same(t, e.tried(order, a, time.Minute, noon, errTest).tries, 1)
		}
	}
	e.end("a", activityRelease)
	e.end("never heard of", activityRelease)
	compare.Same(t, e.tried("a", activityRelease, time.Minute, noon, errTest).tries, 1)
	compare.Same(t, e.tried("a", activityCleanUp, time.Minute, noon, errTest).tries, 2)
	compare.Same(t, e.tried("b", activityRelease, time.Minute, noon, errTest).tries, 2)
	for _, order := range orders {
		e.forget(order)
	}
	e.forget("never heard of")
	compare.Same(t, len(e.made), 0)
}

func TestTriesAreMoreSeldomWithTimeAndOneIsAtTheBound(t *testing.T) {
	after := func(age time.Duration) func() time.Duration {
		made := effort{bound: 10 * time.Minute, since: noon, tries: 1}
		return func() time.Duration { return made.delay(noon.Add(age)) }
	}
	wantSpread(t, after(0), 10*time.Second, 12*time.Second)
	wantSpread(t, after(30*time.Second), 30*time.Second, 36*time.Second)
	wantSpread(t, after(5*time.Minute), time.Minute, 72*time.Second)
	wantSpread(t, after(20*time.Minute), time.Minute, 72*time.Second) // the bound is over, but there were too few tries
	compare.Same(t, after(10*time.Minute-time.Second)(), time.Second)
}
