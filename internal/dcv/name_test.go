// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import "testing"

func TestTheRecordIsMeantWhereItProvesTheName(t *testing.T) {
	tests := map[string]struct {
		name, domain, zone string
		want               string
	}{
		"not told yet":              {"", "example.com", "example.com", ""},
		"relative, the zone itself": {"_dnsauth", "example.com", "example.com", "_dnsauth.example.com"},
		"relative to the zone, for a subdomain": {"_dnsauth", "www.example.com", "example.com",
			"_dnsauth.example.com"},
		"with the subdomain": {"_dnsauth.www", "www.example.com", "example.com",
			"_dnsauth.www.example.com"},
		"with two subdomains": {"_dnsauth.a.b", "a.b.example.com", "example.com",
			"_dnsauth.a.b.example.com"},
		"in full": {"_dnsauth.www.example.com", "www.example.com", "example.com",
			"_dnsauth.www.example.com"},
		"in full with a dot": {"_dnsauth.example.com.", "example.com", "example.com",
			"_dnsauth.example.com"},
		"relative with a dot": {"_dnsauth.", "example.com", "example.com",
			"_dnsauth.example.com"},
		"in full, upper case": {"_DNSAUTH.WWW.EXAMPLE.COM", "www.example.com", "example.com",
			"_dnsauth.www.example.com"},
		"relative, upper case": {"_DnsAuth.WWW", "WWW.Example.COM", "EXAMPLE.com.",
			"_dnsauth.www.example.com"},
		"among spaces": {" _dnsauth ", "example.com", "example.com",
			"_dnsauth.example.com"},
		"the zone itself, as consoles write it": {"@", "example.com", "example.com", "example.com"},
		"the zone itself, in full":              {"example.com", "example.com", "example.com", "example.com"},
		"a wildcard": {"_dnsauth", "*.example.com", "example.com",
			"_dnsauth.example.com"},
		"a wildcard below": {"_dnsauth.shop", "*.shop.example.com", "example.com",
			"_dnsauth.shop.example.com"},
		"a sub-zone, relative to it": {"_dnsauth", "www.example.com", "www.example.com",
			"_dnsauth.www.example.com"},
		"a sub-zone, relative to its parent": {"_dnsauth.www", "www.example.com", "www.example.com",
			"_dnsauth.www.example.com"},
		"a sub-zone, relative to its grandparent": {"_dnsauth.a.b", "a.b.example.com", "a.b.example.com",
			"_dnsauth.a.b.example.com"},
		"a name below a sub-zone, from its parent": {"_dnsauth.www.shop", "www.shop.example.com", "shop.example.com",
			"_dnsauth.www.shop.example.com"},
		"above a sub-zone, in full": {"_dnsauth.example.com.", "www.example.com", "www.example.com",
			"_dnsauth.example.com"},
		"above two sub-zones, in full": {"_dnsauth.b.example.com", "a.b.example.com", "a.b.example.com",
			"_dnsauth.b.example.com"},
		"two labels that no host has": {"_acme._dnsauth", "example.com", "example.com",
			"_acme._dnsauth.example.com"},
		"two such labels, relative to the parent": {"_acme._dnsauth.www", "www.example.com", "www.example.com",
			"_acme._dnsauth.www.example.com"},
		"a label without an underscore": {"a1b2c3", "www.example.com", "example.com", "a1b2c3.example.com"},
		"a look-alike of the zone is no full name": {"_dnsauth.evilexample.com", "example.com", "example.com",
			"_dnsauth.evilexample.com.example.com"},
		"a public suffix of two labels": {"_dnsauth", "www.example.com.cn", "example.com.cn",
			"_dnsauth.example.com.cn"},
		"an internationalized zone in Unicode": {"_dnsauth", "例子.中国", "例子.中国", "_dnsauth.xn--fsqu00a.xn--fiqs8s"},
		"an internationalized name, two spellings": {"_dnsauth.例子.中国", "xn--fsqu00a.xn--fiqs8s",
			"xn--fsqu00a.xn--fiqs8s", "_dnsauth.xn--fsqu00a.xn--fiqs8s"},
		"the zone is not known and the name stands": {"_dnsauth.example.com.", "example.com", "",
			"_dnsauth.example.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ch := Challenge{Domain: test.domain, RecordName: test.name, RecordType: "TXT", RecordValue: "v"}
			if got := RecordFQDN(ch, test.zone); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestNamesAreComparedInOneForm(t *testing.T) {
	tests := map[string]string{
		"example.com":          "example.com",
		"EXAMPLE.com.":         "example.com",
		"\texample.com \n":     "example.com",
		"*.Example.com":        "*.example.com",
		"_DNSAUTH.example.com": "_dnsauth.example.com",
		"例子.中国":                "xn--fsqu00a.xn--fiqs8s",
		"BÜCHER.example":       "xn--bcher-kva.example",
		"xn--BCHER-kva.de":     "xn--bcher-kva.de",
		"XN--99999999999.com.": "xn--99999999999.com", // no valid IDN
		"":                     "",
		".":                    "",
	}
	for name, want := range tests {
		if got := CanonicalName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestOnlyWholeLabelsAreWithinAZone(t *testing.T) {
	tests := []struct {
		name, zone string
		want       bool
	}{
		{"example.com", "example.com", true},
		{"www.example.com", "example.com", true},
		{"*.example.com", "example.com", true},
		{"a.b.c.example.com", "example.com", true},
		{"evilexample.com", "example.com", false},
		{"example.com.evil.net", "example.com", false},
		{"com", "example.com", false},
		{"example.com", "www.example.com", false},
		{"example.com", "", false},
		{"", "", false},
	}
	for _, test := range tests {
		if got := Within(test.name, test.zone); got != test.want {
			t.Errorf("Within(%q, %q) = %t", test.name, test.zone, got)
		}
	}
}

func TestARegistrysNamesAreToldFromThoseOfCompanies(t *testing.T) {
	tests := map[string]bool{
		"com":               true,
		"com.cn":            true,
		"co.uk":             true,
		"xn--fiqs8s":        true, // 中国
		"local":             true, // no registry has it, and no account can have it as a zone either
		"example.com":       false,
		"example.com.cn":    false,
		"github.io":         false, // on the list, and yet a zone of its owner
		"s3.amazonaws.com":  false,
		"shop.example.com":  false,
		"example.local":     false,
		"_dnsauth.com.cn":   false,
		"xn--fsqu00a.local": false,
	}
	for name, want := range tests {
		if got := RegistryOwned(name); got != want {
			t.Errorf("RegistryOwned(%q) = %t", name, got)
		}
	}
}
