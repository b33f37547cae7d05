// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const (
	Day   = 24 * time.Hour
	month = 30 * Day
)

// tally counts orders of the last 30 days in little room: by the hour for a day, by the date before that. Orders that
// share an entry leave a window together, with the latest of them, so that a tally may hold an order up to an hour, or
// a day, too long, and never lets one pass too early.
type tally []v1alpha1.OrderCount

// add counts an order.
func (t tally) add(now time.Time) tally {
	return append(t, v1alpha1.OrderCount{At: stamp(now), Orders: 1}).compact(now)
}

// without takes back an order that was counted at a time.
func (t tally) without(at, now time.Time) tally {
	i := slices.IndexFunc(t, func(c v1alpha1.OrderCount) bool { return slotOf(c.At.Time, now).Equal(slotOf(at, now)) })
	if i >= 0 {
		t[i].Orders--
	}
	return t.compact(now)
}

// compact forgets what is older than the longest window, and joins what is in one slot.
func (t tally) compact(now time.Time) tally {
	slices.SortFunc(t, func(a, b v1alpha1.OrderCount) int { return a.At.Compare(b.At.Time) })
	var kept tally
	for _, c := range t {
		last := len(kept) - 1
		switch {
		case c.Orders <= 0 || now.Sub(c.At.Time) >= month:
		case last >= 0 && slotOf(kept[last].At.Time, now).Equal(slotOf(c.At.Time, now)):
			kept[last].At, kept[last].Orders = c.At, kept[last].Orders+c.Orders
		default:
			kept = append(kept, c)
		}
	}
	return kept
}

// slotOf is the beginning of the hour, or of the date, that an order is counted in.
func slotOf(at, now time.Time) time.Time {
	if now.Sub(at) < Day {
		return at.UTC().Truncate(time.Hour)
	}
	return at.UTC().Truncate(Day)
}

// within is how many orders count in a window.
func (t tally) within(window time.Duration, now time.Time) int64 {
	var n int64
	for _, c := range t {
		if now.Sub(c.At.Time) < window {
			n += int64(c.Orders)
		}
	}
	return n
}

// Returns when fewer orders than limit count, if none is added, or zero if that is so now.
func (t tally) freeAt(window time.Duration, limit int64, now time.Time) time.Time {
	left, free := t.within(window, now), time.Time{}
	for _, c := range t {
		if left < limit {
			break
		}
		if end := c.At.Add(window); end.After(now) {
			left, free = left-int64(c.Orders), end
		}
	}
	return free
}

// stamp is a time as the API server stores it, so that what was written equals what is read.
func stamp(at time.Time) metav1.Time { return metav1.NewTime(at.Truncate(time.Second)) }
