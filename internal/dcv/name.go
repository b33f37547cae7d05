// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"cmp"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// RecordFQDN is the full name of the challenge's record, lower case and without trailing dot, given the zone that holds the validated
// name. It is empty while CAS has not yet said which name it wants, which is usual right after an order (CAS contract §2).
//
// CAS names the record sometimes in full and sometimes relative to the zone (CAS contract §2): a name that is InFull or within the zone
// is taken as it is, any other gets the zone appended. The labels themselves are CAS's choice and are never rebuilt.
func RecordFQDN(ch Challenge, zone string) string {
	name, zone, domain := CanonicalName(ch.RecordName), CanonicalName(zone), CanonicalName(ch.Domain)
	switch {
	case name == "":
		return ""
	case name == "@": // how DNS consoles write the zone itself; seen in V2's ValidationKey (CAS contract §3.3)
		return zone
	case zone == "" || Within(name, zone) || InFull(ch):
		return name
	}
	// CAS does not know how the domain is cut into zones. Where www.example.com is a zone of its own, "_dnsauth.www" is still meant
	// relative to example.com: of the zone and its parents, the first that puts the record above the validated name is meant.
	// Where none does, what is below the zone and above the name: what has passed the gate is in one of them.
	return cmp.Or(relativeTo(zone, name, domain), relativeTo(domain, name, domain), name+"."+zone)
}

// InFull says that the name of the challenge's record needs no zone to be told, because it ends with the validated name or with a parent
// of it that is no registry's. Where www.example.com is a zone of its own, "_dnsauth.example.com" is not within it and yet in full.
func InFull(ch Challenge) bool {
	name := CanonicalName(ch.RecordName)
	for parent := CanonicalName(ch.Domain); !RegistryOwned(parent); _, parent, _ = strings.Cut(parent, ".") {
		if Within(name, parent) {
			return true
		}
	}
	return false
}

// Validated is the name that a record proves control of: what is left without the leading labels that no host can have.
func Validated(fqdn string) string {
	for strings.HasPrefix(fqdn, "_") {
		_, fqdn, _ = strings.Cut(fqdn, ".")
	}
	return fqdn
}

// CanonicalName is the form in which names are compared and kept: A-labels, lower case, no trailing dot. A name that is no valid IDN is
// only lowered; it then matches nothing but itself.
func CanonicalName(name string) string {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
	if ascii, err := idna.Punycode.ToASCII(name); err == nil {
		return ascii
	}
	return name
}

// Within says whether a canonical name is the zone or lies below it. Whole labels count: evilexample.com is not within example.com.
func Within(name, zone string) bool {
	return zone != "" && (name == zone || strings.HasSuffix(name, "."+zone))
}

// RegistryOwned says whether a canonical name is a registry's (com, com.cn): no record of ours can be in such a zone. Suffixes that
// belong to companies (github.io) are zones like any other to their owners.
func RegistryOwned(name string) bool {
	suffix, icann := publicsuffix.PublicSuffix(name)
	return name == suffix && (icann || !strings.Contains(suffix, "."))
}
