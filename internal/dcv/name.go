// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"cmp"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// RecordFQDN returns the full name of the challenge's record, lower case and without trailing dot. zone is the zone
// that holds the validated name. The result is empty while CAS has not yet named the record, which is usual right after
// an order (docs/design/cas.md §3.4).
//
// CAS names the record sometimes in full and sometimes relative to the zone (docs/design/cas.md §3.4): a name that is
// InFull or within the zone is taken as it is, any other gets the zone appended. The labels themselves are CAS's choice
// and are never rebuilt.
func RecordFQDN(ch Challenge, zone string) string {
	name, zone, domain := CanonicalName(ch.RecordName), CanonicalName(zone), CanonicalName(ch.Domain)
	switch {
	case name == "":
		return ""
	case name == "@": // how DNS consoles write the zone itself; seen in V2's ValidationKey (docs/design/cas.md §4.8)
		return zone
	case zone == "" || Within(name, zone) || InFull(ch):
		return name
	}
	// CAS does not know how the domain is cut into zones. If www.example.com is a zone of its own, CAS still writes
	// "_dnsauth.www" relative to example.com. So tries the zone and its parents first, then the domain and its parents,
	// for one in which the record proves control of the domain. A name that has passed the gate (admit) proves it in
	// one of them.
	return cmp.Or(relativeTo(zone, name, domain), relativeTo(domain, name, domain), name+"."+zone)
}

// InFull says whether the name of the challenge's record is full, so that its zone need not be known: it ends with the
// validated name, or with a parent of that which is no registry's. If www.example.com is a zone of its own,
// "_dnsauth.example.com" is a full name outside of that zone.
func InFull(ch Challenge) bool {
	name := CanonicalName(ch.RecordName)
	for parent := CanonicalName(ch.Domain); !RegistryOwned(parent); _, parent, _ = strings.Cut(parent, ".") {
		if Within(name, parent) {
			return true
		}
	}
	return false
}

// Validated returns the name that a record at fqdn proves control of: fqdn without its leading labels that begin with
// "_", as no host's do.
func Validated(fqdn string) string {
	for strings.HasPrefix(fqdn, "_") {
		_, fqdn, _ = strings.Cut(fqdn, ".")
	}
	return fqdn
}

// CanonicalName returns the form in which names are compared and kept: A-labels, lower case, no trailing dot. It does
// not convert a name that is no valid IDN to A-labels: such a name matches nothing but itself.
func CanonicalName(name string) string {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
	if ascii, err := idna.Punycode.ToASCII(name); err == nil {
		return ascii
	}
	return name
}

// Within says whether a canonical name is the zone or lies below it. Whole labels count: evilexample.com is not within
// example.com.
func Within(name, zone string) bool {
	return zone != "" && (name == zone || strings.HasSuffix(name, "."+zone))
}

// RegistryOwned says whether a canonical name is a registry's (com, com.cn): no record of ours can be in such a zone.
// Suffixes that belong to companies (github.io) are zones like any other to their owners.
func RegistryOwned(name string) bool {
	suffix, icann := publicsuffix.PublicSuffix(name)
	return name == suffix && (icann || !strings.Contains(suffix, "."))
}
