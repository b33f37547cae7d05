// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// The bounds of a record. With all lists full it is smaller than 1 MiB, which the API server takes.
const (
	maxNamespaces = 100
	maxNameSets   = 1000
)

// spendingOf is the record of an issuer, to be changed.
func spendingOf(issuer v1alpha1.GenericIssuer) *v1alpha1.SpendingStatus {
	status := issuer.GetStatus()
	if status.Spending == nil {
		status.Spending = &v1alpha1.SpendingStatus{}
	}
	return status.Spending
}

// changeNameSet changes what is known of the same names.
func changeNameSet(record *v1alpha1.SpendingStatus, names string, now time.Time, change func(nameSet)) {
	if !slices.ContainsFunc(record.NameSets, func(s v1alpha1.NameSetSpending) bool { return s.Names == names }) {
		record.NameSets = append(record.NameSets, v1alpha1.NameSetSpending{Names: names})
	}
	change(nameSetOf(record, names))
	compact(record, now)
}

// countOrder adds an order to the record, once.
func countOrder(issuer v1alpha1.GenericIssuer, p demand, now time.Time) {
	record := spendingOf(issuer)
	if nameSetOf(record, p.names).has(p.order) {
		return
	}
	if r, isKnown := reserveOf(issuer, p.product, now); isKnown {
		mark := record.Plan
		switch {
		case mark == nil || mark.ProductCode != p.product || now.Sub(mark.At.Time) >= day:
			record.Plan = &v1alpha1.PlanMark{ProductCode: p.product, Remaining: r.left, At: stamp(now)}
		default:
			mark.Remaining = r.had // more was bought
		}
	}
	record.Orders = tally(record.Orders).add(now)
	at := slices.IndexFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool { return n.Name == p.namespace })
	if at < 0 {
		at = len(record.Namespaces)
		record.Namespaces = append(record.Namespaces, v1alpha1.NamespaceSpending{Name: p.namespace})
	}
	record.Namespaces[at].Orders = tally(record.Namespaces[at].Orders).add(now)
	changeNameSet(record, p.names, now, func(s nameSet) { s.add(p, maxPerDay(issuer), now) })
}

// takeBack removes an order from the record that has bought nothing.
func takeBack(issuer v1alpha1.GenericIssuer, p demand, now time.Time) {
	record := spendingOf(issuer)
	changeNameSet(record, p.names, now, func(s nameSet) {
		i := slices.IndexFunc(s.Orders, func(o v1alpha1.NameSetOrder) bool { return o.Order == p.order })
		if i < 0 || s.Orders[i].Orders > 1 { // it counts with others, and goes with them
			return
		}
		at := s.Orders[i].At.Time
		s.Orders = slices.Delete(s.Orders, i, i+1)
		record.Orders = tally(record.Orders).without(at, now)
		if i := slices.IndexFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool { return n.Name == p.namespace }); i >= 0 {
			record.Namespaces[i].Orders = tally(record.Namespaces[i].Orders).without(at, now)
		}
	})
}

// compact forgets what counts no more, and what there is no room for.
func compact(record *v1alpha1.SpendingStatus, now time.Time) {
	record.Orders = tally(record.Orders).compact(now)
	for i := range record.Namespaces {
		record.Namespaces[i].Orders = tally(record.Namespaces[i].Orders).compact(now)
	}
	record.Namespaces = slices.DeleteFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool { return len(n.Orders) == 0 })
	slices.SortFunc(record.Namespaces, func(a, b v1alpha1.NamespaceSpending) int {
		return cmp.Or(-cmp.Compare(tally(a.Orders).within(month, now), tally(b.Orders).within(month, now)), cmp.Compare(a.Name, b.Name))
	})
	record.Namespaces = record.Namespaces[:min(len(record.Namespaces), maxNamespaces)]
	for i := range record.NameSets {
		nameSet{&record.NameSets[i]}.compact(now)
	}
	record.NameSets = slices.DeleteFunc(record.NameSets, func(s v1alpha1.NameSetSpending) bool { return nameSet{&s}.isForgotten(now) })
	slices.SortFunc(record.NameSets, func(a, b v1alpha1.NameSetSpending) int {
		return cmp.Or(cmp.Compare(nameSet{&a}.rank(now), nameSet{&b}.rank(now)), cmp.Compare(a.Names, b.Names))
	})
	record.NameSets = record.NameSets[:min(len(record.NameSets), maxNameSets)]
}

// rank tells what is remembered first: what was ordered in the last day, the latest first, since a loop must not forget
// itself; then what has a certificate, by its end, since it is the next to be renewed; then the rest.
func (s nameSet) rank(now time.Time) int64 {
	last := s.last()
	switch {
	case last != nil && (s.Loop != nil || now.Sub(last.At.Time) < day):
		return now.Unix() - last.At.Unix()
	case s.NotAfter != nil:
		return int64(loopForgotten/time.Second) + 1 + max(s.NotAfter.Unix()-now.Add(-renewableAfterEnd).Unix(), 0)
	default:
		return int64(100 * 365 * day / time.Second)
	}
}

// issuedTo takes down how long the certificate of the names lasts.
func issuedTo(issuer v1alpha1.GenericIssuer, order *v1alpha1.AliyunOrder, notBefore, notAfter, now time.Time) {
	changeNameSet(spendingOf(issuer), namesHash(order.Spec.DNSNames), now, func(s nameSet) {
		if s.NotAfter == nil || s.NotAfter.Time.Before(notAfter) {
			from, to := stamp(notBefore), stamp(notAfter)
			s.NotBefore, s.NotAfter = &from, &to
		}
	})
}

// holdLoop takes down that an order is one too many for its names.
func holdLoop(issuer v1alpha1.GenericIssuer, names string, cause v1alpha1.LoopCause, now time.Time) {
	changeNameSet(spendingOf(issuer), names, now, func(s nameSet) { s.hold(maxPerDay(issuer), cause, now) })
}

// budgetsOf sums up for people what is used of each bound: of those of namespaces, for the one that has used the most.
func budgetsOf(issuer v1alpha1.GenericIssuer, now time.Time) []v1alpha1.BudgetStatus {
	most := ""
	if record := issuer.GetStatus().Spending; record != nil && len(record.Namespaces) > 0 {
		most = slices.MaxFunc(record.Namespaces, func(a, b v1alpha1.NamespaceSpending) int {
			return cmp.Compare(tally(a.Orders).within(day, now), tally(b.Orders).within(day, now))
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
	if plan := issuer.GetStatus().Package; plan != nil {
		if r, isKnown := reserveOf(issuer, plan.ProductCode, now); isKnown {
			row := v1alpha1.BudgetStatus{Name: v1alpha1.BudgetReserve, Used: r.had - r.left, Limit: new(max(r.had-r.kept, 0))}
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

func spendingChanged(before, after v1alpha1.GenericIssuer) bool {
	return !equality.Semantic.DeepEqual(before.GetStatus().Spending, after.GetStatus().Spending)
}
