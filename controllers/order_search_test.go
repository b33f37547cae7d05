// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

func TestOnlyWhatIsCertainExcludesAnOrderOfAListing(t *testing.T) {
	long, lately := noon.Add(-tooOld-time.Second), noon.Add(-tooOld)
	tests := map[string]struct {
		item cas.ListItem
		want bool
	}{
		"the same name":                     {cas.ListItem{Domain: "www.example.com"}, true},
		"the apex of the name":              {cas.ListItem{Domain: "example.com"}, true},
		"all names of one base":             {cas.ListItem{Domain: "example.com,www.example.com,*.example.com"}, true},
		"another name":                      {cas.ListItem{Domain: "shop.example.com"}, false},
		"another name beside it":            {cas.ListItem{Domain: "www.example.com,shop.example.com"}, false},
		"no domain":                         {cas.ListItem{}, true},
		"a plan that was bought long ago":   {cas.ListItem{Domain: "www.example.com", BoughtAt: long, Status: cas.ListChecking}, true},
		"that, issued lately":               {cas.ListItem{Domain: "www.example.com", BoughtAt: long, NotBefore: lately, Status: cas.ListIssued}, true},
		"that, and no certificate yet":      {cas.ListItem{Domain: "www.example.com", BoughtAt: long, Status: "NEVER_HEARD_OF"}, true},
		"issued long ago":                   {cas.ListItem{Domain: "www.example.com", BoughtAt: lately, NotBefore: long, Status: cas.ListIssued}, false},
		"issued long ago, about to end":     {cas.ListItem{Domain: "www.example.com", NotBefore: long, Status: cas.ListWillExpire}, false},
		"issued long ago, without a domain": {cas.ListItem{NotBefore: long, Status: cas.ListIssued}, false},
		"issued long ago, and worked on":    {cas.ListItem{Domain: "www.example.com", NotBefore: long, Status: cas.ListChecking}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { wantSame(t, mayBe(test.item, "www.example.com", noon), test.want) })
	}
}

func TestTheBaseOfANameIsNeverARegistrys(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.com":               "example.com",
		"*.example.com":                 "example.com",
		"*.www.example.com":             "example.com",
		"www.www.example.com":           "www.example.com",
		"WWW.Example.COM.":              "example.com",
		"example.com":                   "example.com",
		"shop.example.com":              "shop.example.com",
		"www.com":                       "www.com",
		"*.www.com":                     "www.com",
		"www.www.com":                   "www.com",
		"www.cn":                        "www.cn",
		"www.com.cn":                    "www.com.cn",
		"www.co.uk":                     "www.co.uk",
		"www.xn--fiqs8s":                "www.xn--fiqs8s", // a registry's by its A-label, too
		"www.\u4f8b\u5b50.\u4e2d\u56fd": "xn--fsqu00a.xn--fiqs8s",
		"www.localhost":                 "www.localhost",
		"www.github.io":                 "github.io", // whose owner may order for it
		"www":                           "www",
		"":                              "",
	} {
		t.Run(name, func(t *testing.T) { wantSame(t, baseName(name), want) })
	}
}
