// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const (
	// longestWait bounds the wait of a loop, which doubles each time.
	longestWait = month
	// loopForgotten is how long after its last order a loop is remembered if it does not go on.
	loopForgotten = longestWait + 10*Day
	// maxNameSetOrders is how many orders for the same names are told apart.
	maxNameSetOrders = 4
)

// NameSet is what is known of orders for the same names. Names that are not known have had none.
type NameSet struct{ *v1alpha1.NameSetSpending }

// NameSetOf returns what a record knows of the names with this hash.
func NameSetOf(record *v1alpha1.SpendingStatus, names string) NameSet {
	if record != nil {
		if at := slices.IndexFunc(record.NameSets, func(s v1alpha1.NameSetSpending) bool {
			return s.Names == names
		}); at >= 0 {
			return NameSet{&record.NameSets[at]}
		}
	}
	return NameSet{&v1alpha1.NameSetSpending{Names: names}}
}

func (s NameSet) has(order types.UID) bool {
	return slices.ContainsFunc(s.Orders, func(o v1alpha1.NameSetOrder) bool { return o.Order == order })
}

// isRenewable says that the names have a certificate, or had one until a short time ago.
func (s NameSet) isRenewable(now time.Time) bool {
	return s.NotAfter != nil && now.Before(s.NotAfter.Add(renewableAfterEnd))
}

// isDue says that the certificate of the names is in the last third of its life, when cert-manager renews it by
// default.
func (s NameSet) isDue(now time.Time) bool {
	return s.isRenewable(now) && !now.Before(s.NotAfter.Add(-s.lifetime()/3))
}

func (s NameSet) lifetime() time.Duration { return s.NotAfter.Sub(s.NotBefore.Time) }

// Returns the orders as a tally: those of the namespace with this hash, or all for "".
func (s NameSet) counts(namespace string) tally {
	var t tally
	for _, o := range s.Orders {
		if namespace == "" || o.Namespace == namespace {
			t = append(t, v1alpha1.OrderCount{At: o.At, Orders: max(o.Orders, 1)})
		}
	}
	return t
}

func (s NameSet) orderedSince(at time.Time) (n int64) {
	for _, c := range s.counts("") {
		if c.At.After(at) {
			n += int64(c.Orders)
		}
	}
	return n
}

func (s NameSet) last() *v1alpha1.NameSetOrder {
	if len(s.Orders) == 0 {
		return nil
	}
	return &s.Orders[len(s.Orders)-1]
}

// Returns how many times in a row an order for these names has been one too many, the present time included. Returns
// zero if the order does not go on with a loop: nobody has asked for a day, or the operator has raised the limit since.
func (s NameSet) loopTimes(limit int32, now time.Time) int32 {
	loop, last := s.Loop, s.last()
	switch {
	case loop == nil, last == nil, limit > loop.Limit, now.Sub(last.At.Time) >= loopForgotten:
		return 0
	case loop.After == last.Order:
		return loop.Times
	case now.Sub(last.At.Time) >= Day:
		return 0
	default:
		return loop.Times + 1
	}
}

// Returns until when an order is one too many, or zero if it is not. The first time, it waits only until the orders of
// the last day are fewer than the limit. If the loop goes on, it gets one order after two days, one after four, and so
// on: somebody has to look. An order for a certificate that is about to end waits only for the last day's orders of its
// own namespace: no loop of others starves it.
func (s NameSet) loopUntil(limit int32, p Demand, now time.Time) time.Time {
	if p.EndsSoon || s.isDue(now) {
		return s.counts(namespaceHash(p.Namespace)).freeAt(Day, int64(limit), now)
	}
	until := s.counts("").freeAt(Day, int64(limit), now)
	if times := s.loopTimes(limit, now); times > 1 {
		wait := min(Day<<min(times-1, 8), longestWait)
		if end := s.last().At.Add(wait); end.After(now) && end.After(until) {
			until = end
		}
	}
	return until
}

// Records that an order is one too many, and what seems to cause it.
func (s NameSet) hold(limit int32, cause v1alpha1.LoopCause, now time.Time) {
	times := s.loopTimes(limit, now)
	if times == 0 {
		s.Loop, times = &v1alpha1.OrderLoop{Since: stamp(now)}, 1
	}
	s.Loop.Times, s.Loop.After, s.Loop.Limit, s.Loop.Cause = times, s.last().Order, limit, cause
}

// add counts an order.
func (s NameSet) add(p Demand, limit int32, now time.Time) {
	if s.loopTimes(limit, now) == 0 {
		s.Loop = nil
	}
	s.Orders = append(s.Orders,
		v1alpha1.NameSetOrder{At: stamp(now), Order: p.Order, Namespace: namespaceHash(p.Namespace)})
	s.compact(now)
	if len(s.Orders) > maxNameSetOrders { // count the earliest with the next of its namespace, or with the next
		next := max(slices.IndexFunc(
			s.Orders[1:], func(o v1alpha1.NameSetOrder) bool { return o.Namespace == s.Orders[0].Namespace }), 0) + 1
		s.Orders[next].Orders = max(s.Orders[0].Orders, 1) + max(s.Orders[next].Orders, 1)
		s.Orders = s.Orders[1:]
	}
}

// Records how long a certificate of the names lasts, if it ends later than the known one.
func (s NameSet) noteCertificate(notBefore, notAfter time.Time) {
	if s.NotAfter == nil || s.NotAfter.Time.Before(notAfter) {
		from, to := stamp(notBefore), stamp(notAfter)
		s.NotBefore, s.NotAfter = &from, &to
	}
}

// Records which signing request the CA has seen last. Of two orders that have ended, the later one stays, however often
// both are looked at until they are cleaned up after. A renewal may have the id of the order before: that of the
// instance.
func (s NameSet) noteRequest(seen v1alpha1.SeenRequest) {
	last := s.LastRequest
	isSame := last != nil && last.OrderID == seen.OrderID && last.Request == seen.Request
	if seen.OrderID == "" || last != nil && (isSame || !last.At.Before(&seen.At)) {
		return
	}
	s.LastRequest = &seen
}

// Forgets orders that no longer count. Keeps the last one while there is a loop, whose wait is measured from it.
func (s NameSet) compact(now time.Time) {
	last := s.last()
	if last == nil || now.Sub(last.At.Time) >= loopForgotten {
		s.Loop = nil
	}
	var kept []v1alpha1.NameSetOrder
	for i, o := range s.Orders {
		isMeasure := s.Loop != nil && i == len(s.Orders)-1
		if isMeasure || now.Sub(o.At.Time) < Day {
			kept = append(kept, o)
		}
	}
	s.Orders = kept
}

// isForgotten says that nothing is left to remember.
func (s NameSet) isForgotten(now time.Time) bool {
	wasSeen := s.LastRequest != nil && now.Sub(s.LastRequest.At.Time) < loopForgotten
	return len(s.Orders) == 0 && s.Loop == nil && !s.isRenewable(now) && !wasSeen
}
