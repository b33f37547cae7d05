// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"cmp"
	"crypto/x509"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// The bounds of a record. With all lists full it is smaller than 1.25 MiB, and etcd takes 1.5 MiB by default.
const (
	maxNamespaces = 100
	maxNameSets   = 1000
)

// Returns the record of an issuer, to be changed; makes one if there is none.
func spendingOf(issuer v1alpha1.GenericIssuer) *v1alpha1.SpendingStatus {
	status := issuer.GetStatus()
	if status.Spending == nil {
		status.Spending = &v1alpha1.SpendingStatus{}
	}
	return status.Spending
}

// Changes what is known of the names, and forgets what no longer counts.
func changeNameSet(record *v1alpha1.SpendingStatus, names string, now time.Time, change func(NameSet)) {
	if !slices.ContainsFunc(record.NameSets, func(s v1alpha1.NameSetSpending) bool { return s.Names == names }) {
		record.NameSets = append(record.NameSets, v1alpha1.NameSetSpending{Names: names})
	}
	change(NameSetOf(record, names))
	compact(record, now)
}

// CountOrder adds an order to the record, once.
func CountOrder(issuer v1alpha1.GenericIssuer, p Demand, now time.Time) {
	record := spendingOf(issuer)
	if NameSetOf(record, p.Names).has(p.Order) {
		return
	}
	if r, isKnown := reserveOf(issuer, p.Product, now); isKnown {
		mark := record.Supply
		switch {
		case mark == nil || mark.Product != p.Product || now.Sub(mark.At.Time) >= Day:
			record.Supply = &v1alpha1.SupplyMark{Product: p.Product, Free: r.left, At: stamp(now)}
		default:
			mark.Free = r.had // more was bought
		}
	}
	record.Orders = tally(record.Orders).add(now)
	at := slices.IndexFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool { return n.Name == p.Namespace })
	if at < 0 {
		at = len(record.Namespaces)
		record.Namespaces = append(record.Namespaces, v1alpha1.NamespaceSpending{Name: p.Namespace})
	}
	record.Namespaces[at].Orders = tally(record.Namespaces[at].Orders).add(now)
	changeNameSet(record, p.Names, now, func(s NameSet) { s.add(p, maxPerDay(issuer), now) })
}

// CountReuse counts a certificate that is delivered again towards the loop of its names: otherwise, a loop would get it
// as often as cert-manager can ask. It counts it towards nothing else, since it costs no money. If the order is one too
// many, it counts nothing and returns true.
func CountReuse(issuer v1alpha1.GenericIssuer, p Demand, now time.Time) (isLoop bool) {
	limit := maxPerDay(issuer)
	if NameSetOf(issuer.GetStatus().Spending, p.Names).loopUntil(limit, p, now).After(now) {
		return true
	}
	changeNameSet(spendingOf(issuer), p.Names, now, func(s NameSet) {
		if !s.has(p.Order) {
			s.add(p, limit, now)
		}
	})
	return false
}

// NoteEnd records what the next order for the names has to know of one that has ended: how long its certificate lasts,
// if it has one, and which signing request the CA has seen.
func NoteEnd(issuer v1alpha1.GenericIssuer, names string, issued *x509.Certificate, seen v1alpha1.SeenRequest,
	now time.Time) {
	changeNameSet(spendingOf(issuer), names, now, func(s NameSet) {
		if issued != nil {
			s.noteCertificate(issued.NotBefore, issued.NotAfter)
		}
		s.noteRequest(seen)
	})
}

// TakeBack removes an order that has bought nothing from the record.
func TakeBack(issuer v1alpha1.GenericIssuer, p Demand, now time.Time) {
	record := spendingOf(issuer)
	changeNameSet(record, p.Names, now, func(s NameSet) {
		i := slices.IndexFunc(s.Orders, func(o v1alpha1.NameSetOrder) bool { return o.Order == p.Order })
		if i < 0 || s.Orders[i].Orders > 1 { // it is counted with others, and forgotten with them
			return
		}
		at := s.Orders[i].At.Time
		s.Orders = slices.Delete(s.Orders, i, i+1)
		record.Orders = tally(record.Orders).without(at, now)
		if i := slices.IndexFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool {
			return n.Name == p.Namespace
		}); i >= 0 {
			record.Namespaces[i].Orders = tally(record.Namespaces[i].Orders).without(at, now)
		}
	})
}

// Forgets what no longer counts, and what there is no room for.
func compact(record *v1alpha1.SpendingStatus, now time.Time) {
	record.Orders = tally(record.Orders).compact(now)
	for i := range record.Namespaces {
		record.Namespaces[i].Orders = tally(record.Namespaces[i].Orders).compact(now)
	}
	record.Namespaces = slices.DeleteFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool {
		return len(n.Orders) == 0
	})
	slices.SortFunc(record.Namespaces, func(a, b v1alpha1.NamespaceSpending) int {
		return cmp.Or(-cmp.Compare(tally(a.Orders).within(month, now), tally(b.Orders).within(month, now)),
			cmp.Compare(a.Name, b.Name))
	})
	record.Namespaces = record.Namespaces[:min(len(record.Namespaces), maxNamespaces)]
	for i := range record.NameSets {
		NameSet{&record.NameSets[i]}.compact(now)
	}
	record.NameSets = slices.DeleteFunc(record.NameSets, func(s v1alpha1.NameSetSpending) bool {
		return NameSet{&s}.isForgotten(now)
	})
	slices.SortFunc(record.NameSets, func(a, b v1alpha1.NameSetSpending) int {
		return cmp.Or(cmp.Compare(NameSet{&a}.rank(now), NameSet{&b}.rank(now)), cmp.Compare(a.Names, b.Names))
	})
	record.NameSets = record.NameSets[:min(len(record.NameSets), maxNameSets)]
}

// Returns a lower number for names that are to be remembered longer. First come names that were ordered in the last day
// or are in a loop, the latest first, since a loop must not make itself forgotten. Then come names with a certificate,
// by its end, since the first to end is the next to be renewed; then the rest.
func (s NameSet) rank(now time.Time) int64 {
	last := s.last()
	switch {
	case last != nil && (s.Loop != nil || now.Sub(last.At.Time) < Day):
		return now.Unix() - last.At.Unix()
	case s.NotAfter != nil:
		return int64(loopForgotten/time.Second) + 1 + max(s.NotAfter.Unix()-now.Add(-renewableAfterEnd).Unix(), 0)
	default:
		return int64(100 * 365 * Day / time.Second)
	}
}

// Records that an order is one too many for its names.
func holdLoop(issuer v1alpha1.GenericIssuer, names string, cause v1alpha1.LoopCause, now time.Time) {
	changeNameSet(spendingOf(issuer), names, now, func(s NameSet) { s.hold(maxPerDay(issuer), cause, now) })
}

// StatusOf tells people how much of each bound is used. For the bounds of namespaces, it tells that of the namespace
// that has ordered most in the last day.
func StatusOf(issuer v1alpha1.GenericIssuer, now time.Time) []v1alpha1.BudgetStatus {
	most := ""
	if record := issuer.GetStatus().Spending; record != nil && len(record.Namespaces) > 0 {
		most = slices.MaxFunc(record.Namespaces, func(a, b v1alpha1.NamespaceSpending) int {
			return cmp.Compare(tally(a.Orders).within(Day, now), tally(b.Orders).within(Day, now))
		}).Name
	}
	var rows []v1alpha1.BudgetStatus
	for _, c := range ceilingsOf(issuer, most) {
		row := v1alpha1.BudgetStatus{Name: c.name, Used: c.counted.within(c.window, now)}
		if c.isOfNamespace() {
			row.Namespace = most
		}
		if c.limit > 0 {
			row.Limit = &c.limit
			row.NextAt = nextAt(c.counted.freeAt(c.window, c.limit, now))
		}
		rows = append(rows, row)
	}
	if supply := issuer.GetStatus().Supply; supply != nil {
		if r, isKnown := reserveOf(issuer, supply.Product, now); isKnown {
			row := v1alpha1.BudgetStatus{Name: v1alpha1.BudgetReserve, Used: r.had - r.left,
				Limit: new(max(r.had-r.kept, 0))}
			if r.kept > 0 && r.left <= r.kept {
				row.NextAt = nextAt(r.until)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func nextAt(at time.Time) *metav1.Time {
	if at.IsZero() {
		return nil
	}
	next := stamp(at)
	return &next
}

// Changed says that the record of an issuer has changed.
func Changed(before, after v1alpha1.GenericIssuer) bool {
	return !equality.Semantic.DeepEqual(before.GetStatus().Spending, after.GetStatus().Spending)
}
