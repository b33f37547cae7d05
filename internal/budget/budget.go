// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package budget says how many orders an issuer lets pass, and keeps the count in the status of the issuer, which
// outlives the orders that a loop deletes (docs/design/0008-budgets.md). It reads and changes what it is given, and
// nothing else: whoever calls it reads the issuer past the cache, and writes what has changed.
package budget

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
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
)

// The defaults of spec.orders. docs/design/0008-budgets.md says why they are these.
const (
	defaultMaxPerDay       = 3
	defaultIssuerPerDay    = 500
	defaultNamespacePerDay = 100
	defaultReserve         = "50%"
)

// SubmissionLasts is the longest time from the moment in which an order is counted to the moment in which CAS has it:
// the numbers of a plan may lack orders that were counted within this time before the numbers were read.
const SubmissionLasts = 65 * time.Second

// renewableAfterEnd is how long after its end a certificate still counts as one to be renewed.
const renewableAfterEnd = month

// Demand is an order that is about to be submitted.
type Demand struct {
	Order              types.UID
	Namespace, Product string
	Names              string // a hash
	// EndsSoon says that the namespace's own certificate is in the last third of its life.
	EndsSoon bool
}

// NamesHash returns a hash that orders for the same names share.
func NamesHash(names []string) string {
	return Hash(strings.Join(slices.Sorted(slices.Values(csr.Lowered(names))), "/"), 16)
}

// Hash returns the first size bytes of the SHA-256 hash of a text, in hexadecimal digits.
func Hash(text string, size int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:size])
}

// Returns a hash that tells apart the namespaces that have ordered the same names, without naming them.
func namespaceHash(namespace string) string { return Hash(namespace, 4) }

// Ruling says why an order has to wait. The zero value lets it pass.
type Ruling struct {
	Reason, Message string
	// Until is when the order would pass if nothing else changed, and zero if that is not known.
	Until time.Time
}

func (v Ruling) Fits() bool { return v.Reason == "" }

// Decide says whether an order may pass, by what is known of its issuer. It reads nothing else, and changes nothing. An
// order that is counted already may pass.
func Decide(issuer v1alpha1.GenericIssuer, p Demand, now time.Time) Ruling {
	set := NameSetOf(issuer.GetStatus().Spending, p.Names)
	if set.has(p.Order) {
		return Ruling{}
	}
	if until := set.loopUntil(maxPerDay(issuer), p, now); !until.IsZero() {
		return Ruling{Reason: v1alpha1.ReasonOrderRateExceeded, Until: until}
	}
	if !set.isDue(now) {
		for _, c := range ceilingsOf(issuer, p.Namespace) {
			if v := c.holds(issuer, p, now); !v.Fits() {
				return v
			}
		}
	}
	if !set.isRenewable(now) {
		return holdsReserve(issuer, p, now)
	}
	return Ruling{}
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
		if at := slices.IndexFunc(record.Namespaces, func(n v1alpha1.NamespaceSpending) bool {
			return n.Name == namespace
		}); at >= 0 {
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
		{v1alpha1.BudgetIssuerPerDay, "issuer.perDay", Day, all, limit(budget.Issuer.PerDay, defaultIssuerPerDay)},
		{v1alpha1.BudgetIssuerPer30Days, "issuer.per30Days", month, all, limit(budget.Issuer.Per30Days, 0)},
		{v1alpha1.BudgetNamespacePerDay, "namespace.perDay", Day, own,
			limit(budget.Namespace.PerDay, defaultNamespacePerDay)},
		{v1alpha1.BudgetNamespacePer30Days, "namespace.per30Days", month, own, limit(budget.Namespace.Per30Days, 0)},
	}
}

func (c ceiling) isOfNamespace() bool {
	return c.name == v1alpha1.BudgetNamespacePerDay || c.name == v1alpha1.BudgetNamespacePer30Days
}

func (c ceiling) holds(issuer v1alpha1.GenericIssuer, p Demand, now time.Time) Ruling {
	used := c.counted.within(c.window, now)
	if c.limit == 0 || used < c.limit {
		return Ruling{}
	}
	who, window := "all namespaces together have", "24 hours"
	if c.isOfNamespace() || issuer.IssuerKind() == v1alpha1.AliyunIssuerKind {
		who = fmt.Sprintf("the namespace %q has", p.Namespace)
	}
	if c.window == month {
		window = "30 days"
	}
	until := c.counted.freeAt(c.window, c.limit, now)
	return Ruling{Reason: v1alpha1.ReasonBudgetExceeded, Until: until, Message: fmt.Sprintf(
		"%s ordered %d certificates from the %s %q in the last %s, and its budget is %d: the next one is ordered at "+
			"%s. If so many are right, set spec.orders.budget.%s of the %s %q to more than %d",
		who, used, issuer.IssuerKind(), issuer.GetName(), window, c.limit, until.UTC().Format(time.RFC3339), c.field,
		issuer.IssuerKind(), issuer.GetName(), used)}
}

// reserve is what a plan has, and what of it is kept for renewals.
type reserve struct {
	had, left, kept int64
	// until is when had is set anew, to what is left then. It is zero while nothing is recorded: then had is what is
	// left at each look.
	until time.Time
	share string
}

// Returns the reserve of a plan. It is known once CAS has told the numbers of the plan. These may lack orders that were
// counted within SubmissionLasts before they were read: takes off what was counted since then.
func reserveOf(issuer v1alpha1.GenericIssuer, product string, now time.Time) (r reserve, isKnown bool) {
	status := issuer.GetStatus()
	if status.Supply == nil || status.Supply.Product != product {
		return reserve{}, false
	}
	r = reserve{left: status.Supply.Free, share: defaultReserve}
	hasRenewals := false
	if record := status.Spending; record != nil {
		told := status.Supply.ObservedAt.Add(-SubmissionLasts)
		for i := range record.NameSets {
			set := NameSet{&record.NameSets[i]}
			hasRenewals = hasRenewals || set.isRenewable(now)
			r.left -= set.orderedSince(told)
		}
	}
	r.had = r.left
	if record := status.Spending; record != nil && record.Supply != nil && record.Supply.Product == product &&
		now.Sub(record.Supply.At.Time) < Day {
		r.had, r.until = max(record.Supply.Free, r.left), record.Supply.At.Add(Day)
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

// Exhausted returns what to do about a plan that has nothing left.
func Exhausted(product string) string {
	return fmt.Sprintf("the plan for %q has no certificate left: buy more, or delete orders that nobody needs. Its "+
		"numbers are read every minute", product)
}

// Holds an order for names without a certificate if all that the plan has left is kept for renewals.
func holdsReserve(issuer v1alpha1.GenericIssuer, p Demand, now time.Time) Ruling {
	r, isKnown := reserveOf(issuer, p.Product, now)
	if !isKnown || r.kept == 0 || r.left > r.kept {
		return Ruling{}
	}
	if r.left <= 0 {
		if told := issuer.GetStatus().Supply.Free; told > 0 {
			return Ruling{Reason: v1alpha1.ReasonReservedForRenewals, Until: r.until, Message: fmt.Sprintf(
				"the plan for %q had %d certificates left by its last numbers, in which the orders of the last "+
					"minute may be missing. They are read every minute", p.Product, told)}
		}
		return Ruling{Reason: v1alpha1.ReasonQuotaExhausted, Until: r.until, Message: Exhausted(p.Product)}
	}
	part, anew := "", ""
	if !r.until.IsZero() {
		anew = fmt.Sprintf(" What is kept is counted anew at %s.", r.until.UTC().Format(time.RFC3339))
	}
	if strings.HasSuffix(r.share, "%") {
		part = fmt.Sprintf(", %s of what it had a day ago,", r.share)
	}
	return Ruling{Reason: v1alpha1.ReasonReservedForRenewals, Until: r.until, Message: fmt.Sprintf(
		"the plan for %q has %d certificates left, and %d%s are kept for renewals: these names have had no "+
			"certificate from the %s %q yet.%s Buy more for the plan, or set spec.orders.reserve of the %s %q to less "+
			"than %d",
		p.Product, r.left, r.kept, part, issuer.IssuerKind(), issuer.GetName(), anew, issuer.IssuerKind(),
		issuer.GetName(), r.left)}
}

// maxPerDay is how many orders for the same names an issuer lets pass in a day.
func maxPerDay(issuer v1alpha1.GenericIssuer) int32 {
	if policy := issuer.GetSpec().Orders; policy != nil && policy.MaxPerDay != nil {
		return *policy.MaxPerDay
	}
	return defaultMaxPerDay
}
