// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

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
		t.Run(name, func(t *testing.T) { compare.Same(t, BaseName(name), want) })
	}
}
