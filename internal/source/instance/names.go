// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
)

// Proves returns the names that are applied for: all but those that the issuer's opt-ins leave to the CA.
func (o offer) Proves(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		optIn := csr.Additional(name, names[0])
		return optIn != "" && slices.Contains(o.AdditionalNames, optIn)
	})
}

// Beside says that a name is applied for like any other, unless the CA may add it by itself: then the issuer's opt-in
// has to say so, or the name would be counted.
func (o offer) Beside(name, commonName string) (missing string, isPossible bool) {
	optIn := csr.Additional(name, commonName)
	if optIn == "" || slices.Contains(o.AdditionalNames, optIn) {
		return "", true
	}
	return string(optIn), true
}

// names are those that this order applies for, the common name first.
func (s *session) names() []string {
	return offer{s.Order.Spec.Source.Instance}.Proves(s.Order.Spec.DNSNames)
}

// carries says that an instance is for as many names of each kind. Numbers that are not told exclude nothing.
func (s *session) carries(seen *casinstance.Instance) bool {
	singles, wildcards := counts(s.names())
	isUntold := seen.SingleNames == 0 && seen.WildcardNames == 0
	return isUntold || seen.SingleNames >= singles && seen.WildcardNames >= wildcards
}

func counts(names []string) (singles, wildcards int) {
	for _, name := range names {
		if strings.HasPrefix(name, "*.") {
			wildcards++
		} else {
			singles++
		}
	}
	return singles, wildcards
}

// shortage says what to do if none of the instances can be applied with.
func (s *session) shortage() string {
	singles, wildcards := counts(s.names())
	return fmt.Sprintf("none of the instances that spec.source.instance.selector of the issuer selects can be applied "+
		"with for %s: buy one that is for as many in the console of CAS, and let the selector select it",
		numbers(singles, wildcards))
}

func numbers(singles, wildcards int) string {
	var parts []string
	for _, part := range []struct {
		count int
		what  string
	}{{singles, "single name"}, {wildcards, "wildcard name"}} {
		switch {
		case part.count == 1:
			parts = append(parts, "one "+part.what)
		case part.count > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", part.count, part.what))
		}
	}
	return cmp.Or(strings.Join(parts, " and "), "no name")
}
