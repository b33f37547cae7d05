// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"fmt"
	"regexp"
	"strings"
)

// underscored matches a name whose first label begins with "_", as no host's does, and that has only the characters of
// validation records' names.
var underscored = regexp.MustCompile(`^_[-_a-z0-9]*(\.[-_a-z0-9]+)*$`)

// admit is the gate before all DNS solvers: it returns nil for a record that shows control of the domain, and a Problem
// for any other. Whoever answers as CAS chooses the record's type, name and value, and a solver publishes with the
// rights of the zone's owner. So CAS, or somebody posing as CAS, must not get an address record to another host's name.
func admit(ch Challenge) error {
	isKnown := ch.RecordType == "TXT" || ch.RecordType == "CNAME"
	name := CanonicalName(ch.RecordName)
	if isKnown && (ch.delegated || underscored.MatchString(name) && provesControl(ch, name)) {
		return nil
	}
	return &Problem{fmt.Sprintf("CAS asks for the %s record %q for %q, which is no validation record: that is a TXT "+
		"or CNAME record at a name that begins with \"_\" and ends with %q or a domain above it. Nothing is "+
		"published. If the console of CAS shows a validation record for the order, publish that by hand: the order "+
		"goes on by itself", ch.RecordType, ch.RecordName, ch.Domain, CanonicalName(ch.Domain))}
}

// Says whether a record at this name proves control of the challenge's domain. Tries a relative name in each domain
// that it can be relative to.
func provesControl(ch Challenge, name string) bool {
	domain := CanonicalName(ch.Domain)
	if InFull(ch) {
		return proves(name, domain)
	}
	return relativeTo(domain, name, domain) != ""
}

// Says whether a record at this full name proves control of the domain: without its leading labels that begin with "_",
// the name must be the domain or a parent of it, and no registry's.
func proves(fqdn, domain string) bool {
	validated := Validated(fqdn)
	return Within(domain, validated) && !RegistryOwned(validated)
}

// Returns the full name of a relative one: appends the zone, or the first of its parents with which the name proves
// control of the domain. Returns "" if there is none.
func relativeTo(zone, name, domain string) string {
	for parent := zone; !RegistryOwned(parent); _, parent, _ = strings.Cut(parent, ".") {
		if fqdn := name + "." + parent; proves(fqdn, domain) {
			return fqdn
		}
	}
	return ""
}
