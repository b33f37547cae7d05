// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func (w *world) page(page, size int) []string {
	w.t.Helper()
	return ids(w.list(func(r *listRequest) {
		r.CurrentPage, r.ShowSize = requests.NewInteger(page), requests.NewInteger(size)
	}))
}

func (w *world) wantListed(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), ids(w.list(nil))); diff != "" {
		w.t.Errorf("the listing (-want +got):\n%s", diff)
	}
}

func TestAStaleListingShowsThePast(t *testing.T) {
	w := start(t, cassim.Options{ListDelay: time.Minute})
	failed, gone := w.order("a.example.com"), w.order("b.example.com")
	w.pass(time.Minute)
	tooNew := w.order("c.example.com")
	w.SteerListing(cassim.Listing{Stale: true})
	w.pass(time.Hour)
	w.ForceState(failed, cassim.StateVerifyFail)
	w.Vanish(gone)
	later := w.order("d.example.com")
	w.pass(time.Hour)

	w.wantListed(gone, failed)
	for _, item := range w.list(nil).CertificateOrderList {
		if item.Status != "CHECKING" {
			t.Errorf("the order for %s is %s", item.Domain, item.Status)
		}
	}
	if got := ids(w.list(func(r *listRequest) { r.Status = "CHECKED_FAIL" })); len(got) != 0 {
		t.Errorf("failed: %v", got)
	}
	w.wantState(failed, cassim.StateVerifyFail) // only listings are stale

	w.SteerListing(cassim.Listing{})
	w.wantListed(later, tooNew, failed)
}

func TestAPageLacksOrdersThatItCounts(t *testing.T) {
	w := start(t, cassim.Options{})
	a, b, c := w.order("a.example.com"), w.order("b.example.com"), w.order("c.example.com")
	w.SteerListing(cassim.Listing{Missing: []string{b, "e.example.com"}})
	d, e := w.order("d.example.com"), w.order("e.example.com")
	w.wantListed(d, c, a)
	if got := w.list(nil).TotalCount; got != 5 {
		t.Errorf("%d in total", got)
	}
	for page, want := range [][]string{{d}, {c}, {a}, {}} {
		if got := w.page(page+1, 2); !slices.Equal(got, want) {
			t.Errorf("page %d has %v, want %v", page+1, got, want)
		}
	}
	w.wantState(e, cassim.StateDomainVerify)
	if diff := cmp.Diff(cassim.Listing{Missing: []string{b, "e.example.com"}}, w.Listing()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOrdersAreRepeatedOnTheNextPageOrLostBetweenPages(t *testing.T) {
	w := start(t, cassim.Options{Knobs: cassim.Knobs{ListOrder: cassim.ListOldestFirst}})
	var all []string
	for range 7 {
		all = append(all, w.order("example.com"))
	}
	tests := map[int][][]string{
		0:  {all[0:3], all[3:6], all[6:], {}},
		1:  {all[0:3], all[2:5], all[4:7], all[6:], {}},
		-1: {all[0:3], all[4:7], {}},
		5:  {all[0:3], all[1:4], all[2:5], all[3:6], all[4:7], all[5:7], all[6:], {}}, // a page makes some progress
	}
	for repeat, pages := range tests {
		w.SteerListing(cassim.Listing{Repeat: repeat})
		for i, want := range pages {
			if got := w.page(i+1, 3); !slices.Equal(got, want) {
				t.Errorf("repeating %d, page %d has %v, want %v", repeat, i+1, got, want)
			}
		}
	}
}

func TestTheTotalIsWrong(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.order("example.com")
	for off, want := range map[int]int64{7: 8, -1: 0, -7: 0} {
		w.SteerListing(cassim.Listing{TotalOff: off})
		if w.wantListed(id); w.list(nil).TotalCount != want {
			t.Errorf("off by %d the total is %d", off, w.list(nil).TotalCount)
		}
	}
}
