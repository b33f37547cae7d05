// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

const (
	// maxPages ends a listing that does not end by itself. What was read until then is no listing.
	maxPages = 100
	// clockSkew is how far the clocks of CAS and of the controller may be apart in a date that agrees.
	clockSkew = 5 * time.Minute
	// signatureLife is how long after it was signed a submission may be executed (CAS contract §8).
	signatureLife = 15 * time.Minute
	// tooOld is how much earlier the certificate of an order began that cannot be this one. No clock is a day wrong: CAS
	// refuses calls whose clock differs by 15 minutes. See docs/design/0002.
	tooOld = 48 * time.Hour
)

// search is what a full listing of the account says about one order.
type search struct {
	// candidates may be the order.
	candidates []cas.ListItem
	// match is the one candidate for which all evidence agrees, or empty.
	match cas.OrderID
	// date is the time of CAS at its last answer, or zero if it did not tell.
	date time.Time
}

// find looks for an order that this one's submission made between two times. It never tells "nothing" where it could
// not look everywhere: that is an error. The caller has claimed the name.
func (r *OrderReconciler) find(ctx context.Context, run *orderRun, calls *cas.Client, since, until time.Time) (*search, error) {
	found, seen := &search{}, map[string]bool{}
	for _, keyword := range keywords(run.order.Spec.CommonName) {
		err := found.list(ctx, calls, keyword, seen, func(item cas.ListItem) bool {
			isExcluded := slices.Contains(run.order.Status.ExcludedOrderIDs, string(item.OrderID))
			return !isExcluded && mayBe(item, run.order.Spec.CommonName, since)
		})
		if err != nil {
			return nil, err
		}
	}
	page, err := open(ctx, r.APIReader, run.order)
	if err != nil {
		return nil, err
	}
	isSame := func(item cas.ListItem) bool { return page.holder(string(item.OrderID)) == sameAccount }
	found.candidates = slices.DeleteFunc(found.candidates, isSame)
	if found.candidates, err = notDisproved(ctx, run, calls, found.candidates); err != nil {
		return nil, err
	}
	if len(found.candidates) != 1 {
		return found, nil
	}
	only := found.candidates[0]
	isHeld := page.holder(string(only.OrderID)) != otherAccount // by an Order that is perhaps of the same account
	if !isHeld && agrees(only, run.order.Spec.Source.ResourcePlan, since, until) {
		found.match = only.OrderID
	}
	return found, nil
}

// notDisproved drops orders whose certificate has another key. Most are earlier ones for the same name, whose
// AliyunOrders went with the requests that cert-manager prunes: without a look at their keys, a name that was ordered
// twice within two days would need a person.
func notDisproved(ctx context.Context, run *orderRun, calls *cas.Client, items []cas.ListItem) ([]cas.ListItem, error) {
	left := []cas.ListItem(nil)
	for _, item := range items {
		if item.OrderID == "" || item.Status != cas.ListIssued {
			left = append(left, item)
			continue
		}
		described, err := calls.Describe(ctx, item.OrderID)
		if err != nil && !cas.IsNotFound(err) {
			return nil, err
		}
		if err == nil && run.isDisproved(item, described) {
			exclude(&run.order.Status, string(item.OrderID)) // it is not asked for again
			continue
		}
		left = append(left, item)
	}
	return left, nil
}

// isDisproved says that an issued order is not the one that is looked for: its certificate has another key, or it was
// ordered for an earlier request with the same key, cannot be used, and somebody has deleted that request to order anew.
func (run *orderRun) isDisproved(item cas.ListItem, described *cas.Order) bool {
	if run.isOthers(described) {
		return true
	}
	leaf, _, err := chainFor(run.order.Spec.Request, []byte(described.Certificate))
	isEarlier := run.order.Status.Submission == nil && item.BoughtAt.Before(run.order.CreationTimestamp.Time)
	return err == nil && isEarlier && fits(leaf, run.order.Spec.DNSNames, run.now) != nil
}

// isOthers says that an order at CAS has a certificate with another key than the request.
func (run *orderRun) isOthers(described *cas.Order) bool {
	_, _, err := chainFor(run.order.Spec.Request, []byte(described.Certificate))
	return errors.Is(err, errOtherKey)
}

// list reads pages until one brings nothing new: neither the size of a page nor the total can be relied on.
func (s *search) list(ctx context.Context, calls *cas.Client, keyword string, seen map[string]bool, isCandidate func(cas.ListItem) bool) error {
	for page := 1; page <= maxPages; page++ {
		listing, err := calls.List(ctx, cas.ListQuery{Keyword: keyword, Page: page})
		if err != nil {
			return err
		}
		s.date = listing.Date
		hasNews := false
		for _, item := range listing.Items {
			key := string(item.OrderID) + "/" + item.InstanceID
			if seen[key] {
				continue
			}
			seen[key], hasNews = true, true
			if isCandidate(item) {
				s.candidates = append(s.candidates, item)
			}
		}
		if !hasNews {
			return nil
		}
	}
	return fmt.Errorf("the listing of orders for %q has more than %d pages", keyword, maxPages)
}

// maxTold bounds the candidates that are named: what to do stands behind them, and events are cut.
const maxTold = 5

// ids name the candidates for people.
func (s *search) ids() string {
	names := make([]string, 0, len(s.candidates))
	for _, item := range s.candidates[:min(len(s.candidates), maxTold)] {
		name := string(item.OrderID)
		if name == "" {
			name = "one without an id, instance " + item.InstanceID
		}
		names = append(names, fmt.Sprintf("%s (%s, %s, bought %s)", name, item.Domain, item.Status, item.BoughtAt.UTC().Format(time.RFC3339)))
	}
	if more := len(s.candidates) - maxTold; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return bounded(strings.Join(names, ", "), 600)
}

// keywords find a name in a listing, whose search is fuzzy, in both forms that an IDN has.
func keywords(commonName string) []string {
	base := baseName(commonName)
	if unicode, err := idna.ToUnicode(base); err == nil && unicode != base {
		return []string{base, unicode}
	}
	return []string{base}
}

// mayBe says whether an order in a listing may be for the same name, and is not older than it could be. Only the beginning
// of its certificate tells how old it is: BuyDate may be the date on which its plan was bought. What CAS still works on is
// never too old, and a domain that is missing excludes nothing.
func mayBe(item cas.ListItem, commonName string, since time.Time) bool {
	isOld := !item.NotBefore.IsZero() && item.NotBefore.Before(since.Add(-tooOld))
	if isOld && item.Status != cas.ListChecking {
		return false
	}
	if item.Domain == "" {
		return true
	}
	base := baseName(commonName)
	for domain := range strings.SplitSeq(item.Domain, ",") {
		if baseName(domain) != base {
			return false
		}
	}
	return true
}

// agrees says whether everything that a listing tells fits. A product in other words, another date, or a date or a domain
// that is missing, does not exclude an order, but is no proof either.
func agrees(item cas.ListItem, plan *v1alpha1.ResourcePlan, since, until time.Time) bool {
	return item.OrderID != "" && item.Domain != "" && item.ProductCode == plan.ProductCode &&
		!item.BoughtAt.Before(since.Add(-clockSkew)) && !item.BoughtAt.After(until.Add(clockSkew))
}

// baseName is a name without what brands add to it, or take for the same, as an A-label. Of www.com nothing is left out: it
// is a domain like any other, and the listing of com would have no end.
func baseName(name string) string {
	name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".")
	if ascii, err := idna.ToASCII(name); err == nil {
		name = ascii
	}
	name = strings.TrimPrefix(name, "*.")
	if base, ok := strings.CutPrefix(name, "www."); ok && !dcv.RegistryOwned(base) {
		return base
	}
	return name
}
