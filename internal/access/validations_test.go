// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestNothingIsProvedThatAnOrderIsNotFor bounds whoever answers as CAS.
func TestNothingIsProvedThatAnOrderIsNotFor(t *testing.T) {
	for name, test := range map[string]struct {
		names        []string
		kind, domain string
		want         bool
	}{
		"a record at the name":            {[]string{"a.example.com"}, "TXT", "a.example.com", true},
		"a record at the second name":     {[]string{"a.example.com", "b.example.com"}, "TXT", "b.example.com", true},
		"a record at the zone":            {[]string{"a.example.com"}, "TXT", "example.com", true},
		"a record at a wildcard's base":   {[]string{"*.a.example.com"}, "TXT", "a.example.com", true},
		"a record at a wildcard":          {[]string{"*.a.example.com"}, "TXT", "*.a.example.com", true},
		"a record at another's name":      {[]string{"a.example.com"}, "TXT", "b.example.com", false},
		"a record below the name":         {[]string{"example.com"}, "TXT", "b.example.com", false},
		"a record at what ends alike":     {[]string{"badexample.com"}, "TXT", "example.com", false},
		"a record at nothing":             {[]string{"a.example.com"}, "TXT", "", false},
		"a file at the name":              {[]string{"a.example.com"}, "FILE", "a.example.com", true},
		"a file at the second name":       {[]string{"a.example.com", "B.example.com"}, "FILE", "b.example.com", true},
		"a file at the www of a domain":   {[]string{"example.com"}, "FILE", "www.example.com", true},
		"a file at the domain of a www":   {[]string{"www.example.com"}, "FILE", "example.com", true},
		"a file at the zone":              {[]string{"a.example.com"}, "FILE", "example.com", false},
		"a file at the www of a name":     {[]string{"a.example.com"}, "FILE", "www.a.example.com", false},
		"a file at another's name":        {[]string{"a.example.com"}, "FILE", "b.example.com", false},
		"a file at the host of somebody":  {[]string{"a.example.com"}, "FILE", "example.org", false},
		"a file at the host of a service": {[]string{"a.example.com"}, "FILE", "localhost", false},
	} {
		order := &v1alpha1.AliyunOrder{Spec: v1alpha1.OrderSpec{DNSNames: test.names}}
		err := CheckDomain(order, &v1alpha1.OrderValidation{RecordType: test.kind, Domain: test.domain})
		if (err == nil) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
