// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func TestOnlyWhatIsCertainExcludesAnOrderOfAListing(t *testing.T) {
	long, lately := noon.Add(-tooOld-time.Second), noon.Add(-tooOld)
	tests := map[string]struct {
		item cas.ListItem
		want bool
	}{
		"the same name":          {cas.ListItem{Domain: "www.example.com"}, true},
		"the apex of the name":   {cas.ListItem{Domain: "example.com"}, true},
		"all names of one base":  {cas.ListItem{Domain: "example.com,www.example.com,*.example.com"}, true},
		"another name":           {cas.ListItem{Domain: "shop.example.com"}, false},
		"another name beside it": {cas.ListItem{Domain: "www.example.com,shop.example.com"}, false},
		"no domain":              {cas.ListItem{}, true},
		"a plan that was bought long ago": {
			cas.ListItem{Domain: "www.example.com", BoughtAt: long, Status: cas.ListChecking}, true},
		"that, issued lately": {
			cas.ListItem{Domain: "www.example.com", BoughtAt: long, NotBefore: lately, Status: cas.ListIssued}, true},
		"that, and no certificate yet": {
			cas.ListItem{Domain: "www.example.com", BoughtAt: long, Status: "NEVER_HEARD_OF"}, true},
		"issued long ago": {
			cas.ListItem{Domain: "www.example.com", BoughtAt: lately, NotBefore: long, Status: cas.ListIssued}, false},
		"issued long ago, about to end": {
			cas.ListItem{Domain: "www.example.com", NotBefore: long, Status: cas.ListWillExpire}, false},
		"issued long ago, without a domain": {cas.ListItem{NotBefore: long, Status: cas.ListIssued}, false},
		"issued long ago, and worked on": {
			cas.ListItem{Domain: "www.example.com", NotBefore: long, Status: cas.ListChecking}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { compare.Same(t, mayBe(test.item, "www.example.com", noon), test.want) })
	}
}

// TestAnOrderOfAListingAgreesOnlyIfEverythingDoes changes one thing about an order that was bought as it should be.
// What is missing, or in other words, is no proof, although it excludes no order.
func TestAnOrderOfAListingAgreesOnlyIfEverythingDoes(t *testing.T) {
	since, until := noon, noon.Add(signatureLife)
	for name, test := range map[string]struct {
		change func(*cas.ListItem)
		want   bool
	}{
		"as it should be":        {func(*cas.ListItem) {}, true},
		"at the last moment":     {func(i *cas.ListItem) { i.BoughtAt = until.Add(clockSkew) }, true},
		"later":                  {func(i *cas.ListItem) { i.BoughtAt = until.Add(clockSkew + time.Second) }, false},
		"by a clock behind ours": {func(i *cas.ListItem) { i.BoughtAt = since.Add(-clockSkew) }, true},
		"before it was asked":    {func(i *cas.ListItem) { i.BoughtAt = since.Add(-clockSkew - time.Second) }, false},
		"at no time":             {func(i *cas.ListItem) { i.BoughtAt = time.Time{} }, false},
		"without an id":          {func(i *cas.ListItem) { i.OrderID = "" }, false},
		"without a domain":       {func(i *cas.ListItem) { i.Domain = "" }, false},
		"another product":        {func(i *cas.ListItem) { i.ProductCode = "q" }, false},
		"no product":             {func(i *cas.ListItem) { i.ProductCode = "" }, false},
	} {
		item := cas.ListItem{OrderID: "7", Domain: "www.example.com", ProductCode: "p", BoughtAt: noon.Add(time.Minute)}
		test.change(&item)
		if got := agrees(item, &v1alpha1.ResourcePlan{ProductCode: "p"}, since, until); got != test.want {
			t.Errorf("%s: it agrees: %t", name, got)
		}
	}
}
