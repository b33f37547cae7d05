// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"fmt"
	"regexp"
	"strings"
)

// underscored is a name whose first label no host can have, made of what validation records are named with.
var underscored = regexp.MustCompile(`^_[-_a-z0-9]*(\.[-_a-z0-9]+)*$`)

// admit is the gate before all DNS solvers: it lets a record pass that shows control of the domain, and returns a Problem for
// any other. Whoever answers as CAS chooses type, name and value, and the solvers publish with the rights of whoever runs the
// zone: an address at the name of somebody else must not get there that way.
func admit(ch Challenge) error {
	isKnown := ch.RecordType == "TXT" || ch.RecordType == "CNAME"
	name := CanonicalName(ch.RecordName)
	if isKnown && (ch.delegated || underscored.MatchString(name) && provesControl(ch, name)) {
		return nil
	}
	return &Problem{fmt.Sprintf("CAS asks for the %s record %q for %q, which is no validation record: that is a TXT or CNAME record at a name that begins with \"_\" and ends with %q or a domain above it. "+
		"Nothing is published. If the console of CAS shows a validation record for the order, publish that by hand: the order goes on by itself", ch.RecordType, ch.RecordName, ch.Domain, CanonicalName(ch.Domain))}
}

// provesControl says that a name, or a relative one in a domain that it can be relative to, is one at which a record proves
// control of the challenge's domain.
func provesControl(ch Challenge, name string) bool {
	domain := CanonicalName(ch.Domain)
	if InFull(ch) {
		return proves(name, domain)
	}
	return relativeTo(domain, name, domain) != ""
}

// proves says that what is left of a full name without its leading labels is the domain or above it, and no registry's.
func proves(fqdn, domain string) bool {
	validated := Validated(fqdn)
	return Within(domain, validated) && !RegistryOwned(validated)
}

// relativeTo is the full name that a relative one has in a zone or the first of its parents in which it proves control of the
// domain, or empty.
func relativeTo(zone, name, domain string) string {
	for parent := zone; !RegistryOwned(parent); _, parent, _ = strings.Cut(parent, ".") {
		if fqdn := name + "." + parent; proves(fqdn, domain) {
			return fqdn
		}
	}
	return ""
}
