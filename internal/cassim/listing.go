// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"slices"
	"time"
)

// Listing is what ListUserCertificateOrder gets wrong. The zero value is an honest listing.
type Listing struct {
	// Stale listings show the orders as they were when the listing was steered.
	Stale bool `json:"stale"`
	// Missing are orders, by id or by domain, that are on no page, though TotalCount counts them. So a page may be
	// shorter than ShowSize without being the last.
	Missing []string `json:"missing"`
	// Repeat is how many orders from the end of a page the next page repeats, as when somebody buys while another
	// lists. It is at most one less than ShowSize. The last orders are then on pages beyond those that TotalCount lets
	// expect. If it is negative, so many orders between two pages are on neither, as when somebody deletes while
	// another lists.
	Repeat int `json:"repeat"`
	// TotalOff is added to TotalCount, which is never less than 0.
	TotalOff int `json:"totalOff"`
}

// listing is a Listing in force. Without a snapshot it shows the present.
type listing struct {
	Listing
	snapshot []*order
	at       time.Time
}

// SteerListing makes listings go wrong from now on, in place of how they went wrong before.
func (s *Server) SteerListing(wrong Listing) {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	wrong.Missing = slices.Clone(wrong.Missing)
	s.listing = listing{Listing: wrong}
	if !wrong.Stale {
		return
	}
	s.listing.at = s.now()
	for _, o := range s.orders.all {
		frozen := *o
		s.listing.snapshot = append(s.listing.snapshot, &frozen)
	}
}

// Listing is what SteerListing set.
func (s *Server) Listing() Listing {
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong := s.listing.Listing
	wrong.Missing = slices.Clone(wrong.Missing)
	return wrong
}

// Returns the orders that a listing knows, and the time that it takes for now.
func (s *Server) listed() ([]*order, time.Time) {
	if s.listing.Stale {
		return s.listing.snapshot, s.listing.at
	}
	return s.orders.all, s.now()
}

// page takes a page out of what was found.
func (l *listing) page(found []*order, page, size int) []*order {
	begin := min((page-1)*(size-min(l.Repeat, size-1)), len(found))
	orders := slices.Clone(found[begin:min(begin+size, len(found))])
	return slices.DeleteFunc(orders, func(o *order) bool {
		return slices.Contains(l.Missing, o.id) || slices.Contains(l.Missing, o.domain)
	})
}
