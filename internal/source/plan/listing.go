// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

const (
	// maxPages ends a listing that does not end by itself, with an error: what was read until then is not all.
	maxPages = 100
	// listingPatience is how long after its beginning a listing is continued that CAS has interrupted by a throttle.
	listingPatience = time.Hour
)

// listing is what CAS lists for the name of one order: all pages for the first keyword, then all for the next.
type listing struct {
	items []cas.ListItem
	// date is the time of CAS at its first answer, or zero if it did not tell. Not of a later answer: an order that is
	// made meanwhile may belong on a page that was read already.
	date time.Time

	begun time.Time
	seen  map[string]bool
	// keyword is how many keywords are read to their end, and page how many pages of the next one.
	keyword, page int
}

// Reads everything that CAS lists for the order's name, once in a run. If CAS throttles, the next run continues with
// the refused page: else a listing of many pages would never end in an account whose calls others use up.
func (s *session) listAll(ctx context.Context) (*listing, error) {
	if s.listed != nil {
		return s.listed, nil
	}
	l := &listing{begun: s.Now, seen: map[string]bool{}}
	if before, ok := s.listings.LoadAndDelete(s.Order.UID); ok &&
		s.Now.Sub(before.(*listing).begun) < listingPatience {
		l = before.(*listing)
	}
	words := keywords(s.Order.Spec.CommonName)
	for ; l.keyword < len(words); l.keyword++ {
		if err := l.read(ctx, s.calls, words[l.keyword]); err != nil {
			if cas.IsThrottled(err) {
				s.listings.Store(s.Order.UID, l)
			}
			return nil, err
		}
		l.page = 0
	}
	s.listed = l
	return l, nil
}

// read reads pages until one brings nothing new: neither the size of a page nor the total can be relied on.
func (l *listing) read(ctx context.Context, calls *cas.Client, keyword string) error {
	for ; l.page < maxPages; l.page++ {
		answer, err := calls.List(ctx, cas.ListQuery{Keyword: keyword, Page: l.page + 1})
		if err != nil {
			return err
		}
		if len(l.seen) == 0 {
			l.date = answer.Date
		}
		hasNews := false
		for _, item := range answer.Items {
			key := string(item.OrderID) + "/" + item.InstanceID
			if !l.seen[key] {
				l.seen[key], hasNews = true, true
				l.items = append(l.items, item)
			}
		}
		if !hasNews {
			return nil
		}
	}
	return fmt.Errorf("the listing of orders for %q has more than %d pages", keyword, maxPages)
}
