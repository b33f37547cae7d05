// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"errors"
	"testing"
)

func TestOnlyValidationRecordsPassTheGate(t *testing.T) {
	tests := map[string]struct {
		kind, name, domain string
		passes             bool
	}{
		"relative":                          {"TXT", "_dnsauth", "www.example.com", true},
		"relative, with the subdomain":      {"TXT", "_dnsauth.www", "www.example.com", true},
		"in full":                           {"TXT", "_dnsauth.www.example.com", "www.example.com", true},
		"in full, at the registered domain": {"TXT", "_dnsauth.example.com.", "a.b.example.com", true},
		"in full, in between":               {"TXT", "_dnsauth.b.example.com", "a.b.example.com", true},
		"in other letters":                  {"txt", "_DNSAUTH.WWW.EXAMPLE.COM", "www.example.com", true},
		"a CNAME at a hash": {"CNAME", "_0a1b2c3d4e5f60718293a4b5c6d7e8f9.www.example.com",
			"www.example.com", true},
		"two labels that no host has":         {"CNAME", "_0a1b._pki-validation", "example.com", true},
		"below a public suffix of two labels": {"TXT", "_dnsauth.example.com.cn", "www.example.com.cn", true},
		"an internationalized name":           {"TXT", "_dnsauth.例子.中国", "xn--fsqu00a.xn--fiqs8s", true},
		"an address":                          {"A", "_dnsauth.www", "www.example.com", false},
		"an address at the name of a host":    {"A", "www.example.com", "x.example.com", false},
		"a name server":                       {"NS", "_dnsauth.www", "www.example.com", false},
		"a mail server":                       {"MX", "_dnsauth.www", "www.example.com", false},
		"a file": {TypeFile, "/.well-known/pki-validation/fileauth.txt",
			"www.example.com", false},
		"no type":                                {"", "_dnsauth.www", "www.example.com", false},
		"a TXT record at the name of a host":     {"TXT", "www", "www.example.com", false},
		"a CNAME of a host":                      {"CNAME", "www.example.com", "www.example.com", false},
		"a CNAME of a host below":                {"CNAME", "shop._x.example.com", "shop.example.com", false},
		"the zone itself":                        {"TXT", "@", "example.com", false},
		"the zone itself, in full":               {"TXT", "example.com", "example.com", false},
		"the record of a sibling":                {"TXT", "_dnsauth.shop.example.com", "www.example.com", false},
		"the record of a sibling, relative":      {"TXT", "_dnsauth.shop", "www.example.com", false},
		"the record of a name below":             {"TXT", "_dnsauth.a.www.example.com", "www.example.com", false},
		"the record of a name below, relative":   {"TXT", "_dnsauth.www", "example.com", false},
		"the record of another domain":           {"TXT", "_dnsauth.example.net", "www.example.com", false},
		"the record of a look-alike":             {"TXT", "_dnsauth.evilexample.com", "www.example.com", false},
		"the record of a registry":               {"TXT", "_dnsauth.com", "www.example.com", false},
		"the record of a registry of two labels": {"TXT", "_dnsauth.com.cn", "www.example.com.cn", false},
		"the wildcard below a label":             {"TXT", "_dnsauth.*.example.com", "www.example.com", false},
		"a dot that DNS does not take for one":   {"TXT", `_x\.www.example.com`, "www.example.com", false},
		"a second line":                          {"TXT", "_dnsauth\n.www.example.com", "www.example.com", false},
		"a label that is empty":                  {"TXT", "_dnsauth..example.com", "www.example.com", false},
		"a domain that is a registry's":          {"TXT", "_dnsauth", "com.cn", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Prepare(Challenge{Domain: test.domain, RecordName: test.name, RecordType: test.kind,
				RecordValue: "v"}, nil)
			if _, isProblem := errors.AsType[*Problem](err); isProblem == test.passes || !isProblem && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
