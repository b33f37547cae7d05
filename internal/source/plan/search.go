// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

const (
	// clockSkew is how far a date of CAS may be outside of the expected time and still agree: the clocks of CAS and of
	// the controller differ.
	clockSkew = 5 * time.Minute
	// signatureLife is how long a submission may be executed after it was signed (docs/design/cas.md §2.4).
	signatureLife = 15 * time.Minute
	// tooOld is by how much a certificate must begin before the search to exclude its order. No clock is a day wrong:
	// CAS refuses calls whose clock differs by 15 minutes. See docs/design/0002.
	tooOld = 48 * time.Hour
)

// search is what a full listing of the account says about one order.
type search struct {
	// candidates are the orders of which one may be it.
	candidates []cas.ListItem
	// match is the one candidate for which all evidence agrees, or empty.
	match cas.OrderID
	// date is the time of CAS when the listing began, or zero if CAS did not tell.
	date time.Time
}

// Looks for the order that this Order's submission has made between two times. Returns an error if it could not look
// everywhere, and never "nothing" then. The caller has claimed the name.
func (s *session) find(ctx context.Context, since, until time.Time) (*search, error) {
	all, err := s.listAll(ctx)
	if err != nil {
		return nil, err
	}
	found := &search{date: all.date,
		candidates: slices.DeleteFunc(slices.Clone(all.items), func(item cas.ListItem) bool {
			isExcluded := slices.Contains(s.Order.Status.ExcludedOrderIDs, string(item.OrderID))
			return isExcluded || !mayBe(item, s.Order.Spec.CommonName, since)
		})}
	page, err := book.Open(ctx, s.APIReader, s.Order)
	if err != nil {
		return nil, err
	}
	isSame := func(item cas.ListItem) bool { return page.Holder(string(item.OrderID)) == book.SameAccount }
	found.candidates = slices.DeleteFunc(found.candidates, isSame)
	if found.candidates, err = s.notDisproved(ctx, found.candidates); err != nil {
		return nil, err
	}
	if len(found.candidates) != 1 {
		return found, nil
	}
	only := found.candidates[0]
	isHeld := page.Holder(string(only.OrderID)) != book.OtherAccount // by an Order that is perhaps of the same account
	plan := s.Order.Spec.Source.ResourcePlan
	if !isHeld && !page.HasRival(sharesProduct(plan)) && agrees(only, plan, since, until) {
		found.match = only.OrderID
	}
	return found, nil
}

// Returns a function that says whether an Order buys the same product from a plan.
func sharesProduct(plan *v1alpha1.ResourcePlan) func(*v1alpha1.AliyunOrder) bool {
	return func(other *v1alpha1.AliyunOrder) bool {
		theirs := other.Spec.Source.ResourcePlan
		return theirs != nil && theirs.ProductCode == plan.ProductCode
	}
}

// Drops orders that are certainly not the one that is looked for. Most are earlier orders for the same name with
// another key, whose AliyunOrders went with the requests that cert-manager prunes: without a look at their keys, a name
// that was ordered twice within two days would need a person.
func (s *session) notDisproved(ctx context.Context, items []cas.ListItem) ([]cas.ListItem, error) {
	left := []cas.ListItem(nil)
	for _, item := range items {
		if item.OrderID == "" || item.Status != cas.ListIssued {
			left = append(left, item)
			continue
		}
		described, err := s.calls.Describe(ctx, item.OrderID)
		if err != nil && !cas.IsNotFound(err) {
			return nil, err
		}
		if err == nil && s.isDisproved(item, described) {
			book.Exclude(&s.Order.Status, string(item.OrderID)) // it is not asked for again
			continue
		}
		left = append(left, item)
	}
	return left, nil
}

// Says whether an issued order is not the one that is looked for: its certificate has another key; or the order is
// older than the request, has the same key, and its certificate cannot be used. In that case somebody has deleted the
// earlier request to order anew.
func (s *session) isDisproved(item cas.ListItem, described *cas.Order) bool {
	if s.isOthers(described) {
		return true
	}
	certificates, err := chain.For(s.Order.Spec.Request, []byte(described.Certificate))
	isEarlier := s.Order.Status.Submission == nil && item.BoughtAt.Before(s.RequestedAt)
	return err == nil && isEarlier && chain.Fits(certificates[0], s.Order.Spec.DNSNames, s.Now) != nil
}

// Says whether an order at CAS has a certificate with another key than the request.
func (s *session) isOthers(described *cas.Order) bool {
	_, err := chain.For(s.Order.Spec.Request, []byte(described.Certificate))
	return errors.Is(err, chain.ErrOtherKey)
}

// maxTold bounds the candidates that a message names: events are cut, and what to do stands behind the names.
const maxTold = 5

// ids name the candidates for people.
func (f *search) ids() string {
	names := make([]string, 0, len(f.candidates))
	for _, item := range f.candidates[:min(len(f.candidates), maxTold)] {
		name := string(item.OrderID)
		if name == "" {
			name = "one without an id, instance " + item.InstanceID
		}
		names = append(names, fmt.Sprintf("%s (%s, %s, bought %s)", name, item.Domain, item.Status,
			item.BoughtAt.UTC().Format(time.RFC3339)))
	}
	if more := len(f.candidates) - maxTold; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return apiserver.Bounded(strings.Join(names, ", "), 600)
}

// Returns what to search a listing for to find a name: an IDN in both of its forms. The search of CAS is fuzzy.
func keywords(commonName string) []string {
	base := orders.BaseName(commonName)
	if unicode, err := idna.ToUnicode(base); err == nil && unicode != base {
		return []string{base, unicode}
	}
	return []string{base}
}

// Says whether an order in a listing may be for the same name, and may be young enough. Only the beginning of its
// certificate tells its age: BuyDate may be the date on which its plan was bought. An order that CAS still works on is
// never too old, and a missing domain excludes nothing.
func mayBe(item cas.ListItem, commonName string, since time.Time) bool {
	isOld := !item.NotBefore.IsZero() && item.NotBefore.Before(since.Add(-tooOld))
	if isOld && item.Status != cas.ListChecking {
		return false
	}
	if item.Domain == "" {
		return true
	}
	base := orders.BaseName(commonName)
	for domain := range strings.SplitSeq(item.Domain, ",") {
		if orders.BaseName(domain) != base {
			return false
		}
	}
	return true
}

// Says whether everything that a listing tells of an order fits. A product in other words, another date, or a missing
// date or domain does not exclude an order, but is no proof either.
func agrees(item cas.ListItem, plan *v1alpha1.ResourcePlan, since, until time.Time) bool {
	return item.OrderID != "" && item.Domain != "" && item.ProductCode == plan.ProductCode &&
		!item.BoughtAt.Before(since.Add(-clockSkew)) && !item.BoughtAt.After(until.Add(clockSkew))
}
