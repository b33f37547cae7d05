// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// The defaults of spec.orders. docs/design/0008-budgets.md says why they are these.
const (
	defaultMaxPerDay       = 3
	defaultIssuerPerDay    = 500
	defaultNamespacePerDay = 100
	defaultReserve         = "50%"
)

// renewableAfterEnd is how long after its end a certificate is still one that is renewed.
const renewableAfterEnd = month

// demand is an order that is about to be submitted.
type demand struct {
	order              types.UID
	namespace, product string
	names              string // a hash
	// endsSoon says that the certificate of the namespace is in the last third of its life.
	endsSoon bool
}

func demandOf(run *orderRun) demand {
	order := run.order
	p := demand{order: order.UID, namespace: order.Namespace, names: namesHash(order.Spec.DNSNames), endsSoon: run.endsSoon}
	if plan := order.Spec.Source.ResourcePlan; plan != nil {
		p.product = plan.ProductCode
	}
	return p
}

// namesHash is what orders for the same names share.
func namesHash(names []string) string {
	return hashOf(strings.Join(slices.Sorted(slices.Values(lowered(names))), "/"), 16)
}

func hashOf(text string, size int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:size])
}

// namespaceHash tells apart who has ordered the same names, and says no more.
func namespaceHash(namespace string) string { return hashOf(namespace, 4) }

// ruling says why an order has to wait. The zero value lets it pass.
type ruling struct {
	reason, message string
	// until is when it would pass if nothing else changed, and zero if that is not known.
	until time.Time
}

func (v ruling) fits() bool { return v.reason == "" }

// decide holds an order against all that is known of its issuer. It reads nothing else, and changes nothing. An order
// that is counted already has passed.
func decide(issuer v1alpha1.GenericIssuer, p demand, now time.Time) ruling {
	set := nameSetOf(issuer.GetStatus().Spending, p.names)
	if set.has(p.order) {
		return ruling{}
	}
	if until := set.loopUntil(maxPerDay(issuer), p, now); !until.IsZero() {
		return ruling{reason: v1alpha1.ReasonOrderRateExceeded, until: until}
	}
	if !set.isDue(now) {
		for _, c := range ceilingsOf(issuer, p.namespace) {
			if v := c.holds(issuer, p, now); !v.fits() {
				return v
			}
		}
	}
	if !set.isRenewable(now) {
		return holdsReserve(issuer, p, now)
	}
	return ruling{}
}

// ceiling is a limit of spec.orders.budget, with what counts towards it.
type ceiling struct {
	name    v1alpha1.BudgetName
	field   string
	window  time.Duration
	counted tally
	limit   int64 // 0: none
}

func ceilingsOf(issuer v1alpha1.GenericIssuer, namespace string) []ceiling {
	budget := v1alpha1.OrderBudget{}
	if policy := issuer.GetSpec().Orders; policy != nil && policy.Budget != nil {
		budget = *policy.Budget
	}
	var all, own tally
	if record := issuer.GetStatus().Spending; record != nil {
		all = record.Orders
		if at := slices.IndexFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool { return n.Name == namespace }); at >= 0 {
			own = record.Namespaces[at].Orders
		}
	}
	limit := func(set *int32, otherwise int64) int64 {
		if set == nil {
			return otherwise
		}
		return int64(*set)
	}
	return []ceiling{
		{v1alpha1.BudgetIssuerPerDay, "issuer.perDay", day, all, limit(budget.Issuer.PerDay, defaultIssuerPerDay)},
		{v1alpha1.BudgetIssuerPer30Days, "issuer.per30Days", month, all, limit(budget.Issuer.Per30Days, 0)},
		{v1alpha1.BudgetNamespacePerDay, "namespace.perDay", day, own, limit(budget.Namespace.PerDay, defaultNamespacePerDay)},
		{v1alpha1.BudgetNamespacePer30Days, "namespace.per30Days", month, own, limit(budget.Namespace.Per30Days, 0)},
	}
}

func (c ceiling) isOfNamespace() bool {
	return c.name == v1alpha1.BudgetNamespacePerDay || c.name == v1alpha1.BudgetNamespacePer30Days
}

func (c ceiling) holds(issuer v1alpha1.GenericIssuer, p demand, now time.Time) ruling {
	used := c.counted.within(c.window, now)
	if c.limit == 0 || used < c.limit {
		return ruling{}
	}
	who, window := "all namespaces together have", "24 hours"
	if c.isOfNamespace() || issuer.IssuerKind() == v1alpha1.AliyunIssuerKind {
		who = fmt.Sprintf("the namespace %q has", p.namespace)
	}
	if c.window == month {
		window = "30 days"
	}
	until := c.counted.freeAt(c.window, c.limit, now)
	return ruling{reason: v1alpha1.ReasonBudgetExceeded, until: until, message: fmt.Sprintf(
		"%s ordered %d certificates from the %s %q in the last %s, and its budget is %d: the next one is ordered at %s. If so many are right, set spec.orders.budget.%s of the %s %q to more than %d",
		who, used, issuer.IssuerKind(), issuer.GetName(), window, c.limit, until.UTC().Format(time.RFC3339), c.field, issuer.IssuerKind(), issuer.GetName(), used)}
}

// reserve is what a plan has, and what of it is kept for renewals.
type reserve struct {
	had, left, kept int64
	// until is when what is left takes the place of what it had.
	until time.Time
	share string
}

// reserveOf is known once CAS has told the numbers of the plan. These have what was ordered up to shortly before: what
// was counted since is taken off.
func reserveOf(issuer v1alpha1.GenericIssuer, product string, now time.Time) (r reserve, isKnown bool) {
	status := issuer.GetStatus()
	if status.Package == nil || status.Package.ProductCode != product {
		return reserve{}, false
	}
	r = reserve{left: status.Package.Remaining, until: now.Add(day), share: defaultReserve}
	hasRenewals := false
	if record := status.Spending; record != nil {
		told := status.Package.ObservedAt.Add(-inDoubt)
		for i := range record.NameSets {
			set := nameSet{&record.NameSets[i]}
			hasRenewals = hasRenewals || set.isRenewable(now)
			r.left -= set.orderedSince(told)
		}
	}
	r.had = r.left
	if record := status.Spending; record != nil && record.Plan != nil && record.Plan.ProductCode == product && now.Sub(record.Plan.At.Time) < day {
		r.had, r.until = max(record.Plan.Remaining, r.left), record.Plan.At.Add(day)
	}
	policy := issuer.GetSpec().Orders
	isSet := policy != nil && policy.Reserve != nil
	if isSet {
		r.share = policy.Reserve.String()
	}
	if isSet && policy.Reserve.Type == intstr.Int {
		r.kept = int64(policy.Reserve.IntVal)
		return r, true
	}
	percent, _ := strconv.ParseInt(strings.TrimSuffix(r.share, "%"), 10, 64) // the API server has checked it
	r.kept = max(r.had, 0) * percent / 100
	if !isSet && hasRenewals {
		r.kept = max(r.kept, 1)
	}
	return r, true
}

// holdsReserve holds an order for names that have no certificate.
func holdsReserve(issuer v1alpha1.GenericIssuer, p demand, now time.Time) ruling {
	r, isKnown := reserveOf(issuer, p.product, now)
	if !isKnown || r.kept == 0 || r.left > r.kept {
		return ruling{}
	}
	part := ""
	if strings.HasSuffix(r.share, "%") {
		part = fmt.Sprintf(", %s of what it had a day ago,", r.share)
	}
	return ruling{reason: v1alpha1.ReasonReservedForRenewals, until: r.until, message: fmt.Sprintf(
		"the plan for %q has %d certificates left, and %d%s are kept for renewals: these names have had no certificate from the %s %q yet. "+
			"It is looked at again within 12 minutes, and what is kept is counted anew at %s. Buy more for the plan, or set spec.orders.reserve of the %s %q to less than %d",
		p.product, max(r.left, 0), r.kept, part, issuer.IssuerKind(), issuer.GetName(),
		r.until.UTC().Format(time.RFC3339), issuer.IssuerKind(), issuer.GetName(), max(r.left, 1))}
}

func maxPerDay(issuer v1alpha1.GenericIssuer) int32 {
	if policy := issuer.GetSpec().Orders; policy != nil && policy.MaxPerDay != nil {
		return *policy.MaxPerDay
	}
	return defaultMaxPerDay
}
