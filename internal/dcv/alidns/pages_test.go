// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns

import (
	"errors"
	"slices"
	"testing"
)

func TestPagesAreFetchedUntilAllHaveArrived(t *testing.T) {
	tests := map[string]struct {
		elements []int // on each page
		total    int64
		want     int // pages
	}{
		"nothing":                          {[]int{0}, 0, 1},
		"one page":                         {[]int{7}, 7, 1},
		"a full page":                      {[]int{100}, 100, 1},
		"two pages":                        {[]int{100, 1}, 101, 2},
		"pages that are smaller than ours": {[]int{20, 20, 5}, 45, 3},
		"a total that is too large":        {[]int{100, 40, 0}, 150, 3},
		"no total":                         {[]int{5}, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var pages, want []int
			for page := range test.want {
				want = append(want, page+1)
			}
			err := eachPage(func(page int) (int, int64, error) {
				pages = append(pages, page)
				return test.elements[page-1], test.total, nil
			})
			if err != nil || !slices.Equal(pages, want) {
				t.Errorf("fetched %v, %v, want %v", pages, err, want)
			}
		})
	}
}

func TestAListWithoutEndIsAnErrorAndNotAShortList(t *testing.T) {
	fetched := 0
	err := eachPage(func(int) (int, int64, error) { fetched++; return 1, 1 << 40, nil })
	if err == nil || err.Error() != "the list has more than 100 pages" || fetched != 100 {
		t.Errorf("got %v after %d pages", err, fetched)
	}
}

func TestAPageThatFailsEndsTheList(t *testing.T) {
	broken := errors.New("broken")
	fetched := 0
	err := eachPage(func(page int) (int, int64, error) {
		fetched++
		if page == 2 {
			return 0, 0, broken
		}
		return 100, 500, nil
	})
	if !errors.Is(err, broken) || fetched != 2 {
		t.Errorf("got %v after %d pages", err, fetched)
	}
}
