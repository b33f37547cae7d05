// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const (
	// longestWait bounds the wait of a loop, which doubles each time.
	longestWait = month
	// loopForgotten is how long after its last order a loop is remembered that nobody goes on with.
	loopForgotten = longestWait + 10*day
	// maxNameSetOrders is how many orders for the same names are told apart.
	maxNameSetOrders = 4
)

// nameSet is what is known of orders for the same names. One that is not known has had none.
type nameSet struct{ *v1alpha1.NameSetSpending }

func nameSetOf(record *v1alpha1.SpendingStatus, names string) nameSet {
	if record != nil {
		if at := slices.IndexFunc(record.NameSets, func(s v1alpha1.NameSetSpending) bool { return s.Names == names }); at >= 0 {
			return nameSet{&record.NameSets[at]}
		}
	}
	return nameSet{&v1alpha1.NameSetSpending{Names: names}}
}

func (s nameSet) has(order types.UID) bool {
	return slices.ContainsFunc(s.Orders, func(o v1alpha1.NameSetOrder) bool { return o.Order == order })
}

// isRenewable says that the names have a certificate, or had one until a short time ago.
func (s nameSet) isRenewable(now time.Time) bool {
	return s.NotAfter != nil && now.Before(s.NotAfter.Add(renewableAfterEnd))
}

// isDue says that their certificate is in the last third of its life, when cert-manager renews it by default.
func (s nameSet) isDue(now time.Time) bool {
	return s.isRenewable(now) && !now.Before(s.NotAfter.Add(-s.lifetime()/3))
}

func (s nameSet) lifetime() time.Duration { return s.NotAfter.Sub(s.NotBefore.Time) }

// counts are their orders, for counting. A hash picks those of one namespace.
func (s nameSet) counts(namespace string) tally {
	var t tally
	for _, o := range s.Orders {
		if namespace == "" || o.Namespace == namespace {
			t = append(t, v1alpha1.OrderCount{At: o.At, Orders: max(o.Orders, 1)})
		}
	}
	return t
}

func (s nameSet) orderedSince(at time.Time) (n int64) {
	for _, c := range s.counts("") {
		if c.At.After(at) {
			n += int64(c.Orders)
		}
	}
	return n
}

func (s nameSet) last() *v1alpha1.NameSetOrder {
	if len(s.Orders) == 0 {
		return nil
	}
	return &s.Orders[len(s.Orders)-1]
}

// loopTimes is how often in a row an order for these names has been one too many, the present one included. It is zero for
// an order that comes by itself: nobody has asked for a day, or the operator has said since that so many are right.
func (s nameSet) loopTimes(limit int32, now time.Time) int32 {
	loop, last := s.Loop, s.last()
	switch {
	case loop == nil, last == nil, limit > loop.Limit, now.Sub(last.At.Time) >= loopForgotten:
		return 0
	case loop.After == last.Order:
		return loop.Times
	case now.Sub(last.At.Time) >= day:
		return 0
	default:
		return loop.Times + 1
	}
}

// loopUntil is until when an order is one too many, and zero if it is not. The first time a day's orders are all that has
// to be waited for. Where it goes on, it gets one order after two days, one after four, and so on: somebody has to look.
// A certificate that is about to end waits for a day's orders of its own namespace only: no loop of others starves it.
func (s nameSet) loopUntil(limit int32, p demand, now time.Time) time.Time {
	if p.endsSoon || s.isDue(now) {
		return s.counts(namespaceHash(p.namespace)).freeAt(day, int64(limit), now)
	}
	until := s.counts("").freeAt(day, int64(limit), now)
	if times := s.loopTimes(limit, now); times > 1 {
		wait := min(day<<min(times-1, 8), longestWait)
		if end := s.last().At.Add(wait); end.After(now) && end.After(until) {
			until = end
		}
	}
	return until
}

// hold takes down that an order is one too many, and what the cause seems to be.
func (s nameSet) hold(limit int32, cause v1alpha1.LoopCause, now time.Time) {
	times := s.loopTimes(limit, now)
	if times == 0 {
		s.Loop, times = &v1alpha1.OrderLoop{Since: stamp(now)}, 1
	}
	s.Loop.Times, s.Loop.After, s.Loop.Limit, s.Loop.Cause = times, s.last().Order, limit, cause
}

// add counts an order.
func (s nameSet) add(p demand, limit int32, now time.Time) {
	if s.loopTimes(limit, now) == 0 {
		s.Loop = nil
	}
	s.Orders = append(s.Orders, v1alpha1.NameSetOrder{At: stamp(now), Order: p.order, Namespace: namespaceHash(p.namespace)})
	s.compact(now)
	if len(s.Orders) > maxNameSetOrders { // the earliest goes with the next of its namespace, if there is one
		next := max(slices.IndexFunc(s.Orders[1:], func(o v1alpha1.NameSetOrder) bool { return o.Namespace == s.Orders[0].Namespace }), 0) + 1
		s.Orders[next].Orders = max(s.Orders[0].Orders, 1) + max(s.Orders[next].Orders, 1)
		s.Orders = s.Orders[1:]
	}
}

// compact forgets orders that count no more. A loop needs the last one to be measured by.
func (s nameSet) compact(now time.Time) {
	last := s.last()
	if last == nil || now.Sub(last.At.Time) >= loopForgotten {
		s.Loop = nil
	}
	var kept []v1alpha1.NameSetOrder
	for i, o := range s.Orders {
		isMeasure := s.Loop != nil && i == len(s.Orders)-1
		if isMeasure || now.Sub(o.At.Time) < day {
			kept = append(kept, o)
		}
	}
	s.Orders = kept
}

// isForgotten says that nothing is left to remember.
func (s nameSet) isForgotten(now time.Time) bool {
	return len(s.Orders) == 0 && s.Loop == nil && !s.isRenewable(now)
}
