// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

const (
	// maxCommonName is the longest common name that a certificate can have (X.520), and CAS takes the domain from
	// there.
	maxCommonName = 64
	// maxName and maxLabel are the longest that DNS has.
	maxName, maxLabel = 253, 63
)

// Returns a text of a request for use in a message: no longer than the longest name, with no character cut in half.
func shown(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxName)], "") }

// commonNameFault says why a name cannot be the common name, as what follows "the common name", or "" if it can.
func commonNameFault(name string) string {
	if n := len(name); n > maxCommonName && isASCII(name) {
		faults := []string{fmt.Sprintf("has %d characters, and a common name takes at most %d", n, maxCommonName)}
		if fault := nameFault(name); fault != "" && n <= maxName {
			faults = append(faults, fault)
		}
		return strings.Join(faults, ", and ")
	}
	return nameFault(name)
}

// nameFault says why no public CA can validate a name, or "". It takes names of at least two labels of letters, digits
// and inner hyphens, perhaps below a wildcard.
func nameFault(name string) string {
	host := strings.TrimPrefix(name, "*.")
	switch {
	case name == "":
		return "is empty"
	case !isASCII(name):
		return "is not ASCII"
	case net.ParseIP(host) != nil:
		return "is an IP address"
	case len(name) > maxName:
		return fmt.Sprintf("has %d characters, and a DNS name takes at most %d", len(name), maxName)
	}
	return strings.Join(append(characterFaults(host), labelFaults(host)...), ", and ")
}

func isASCII(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII })
}

// Returns a fault for each character that no DNS name has, each once. For spaces, which nobody sees, it says where they
// are.
func characterFaults(host string) (faults []string) {
	if strings.HasPrefix(host, " ") {
		faults = append(faults, "begins with a space")
	}
	if strings.HasSuffix(host, " ") {
		faults = append(faults, "ends with a space")
	}
	for _, r := range strings.Trim(host, " ") {
		fault := ""
		switch {
		case r == '_':
			fault = "has an underscore"
		case r == ' ':
			fault = "has a space inside"
		case r == '*':
			fault = `has a "*" that is not its whole first label`
		case r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z'):
			fault = fmt.Sprintf("has the character %q", string(r))
		}
		if fault != "" && !slices.Contains(faults, fault) {
			faults = append(faults, fault)
		}
	}
	return faults
}

func labelFaults(host string) (faults []string) {
	host, hasDot := strings.CutSuffix(strings.Trim(host, " "), ".")
	if hasDot {
		faults = append(faults, "ends with a dot")
	}
	labels := strings.Split(host, ".")
	if slices.Contains(labels, "") {
		faults = append(faults, "has an empty label")
	}
	for _, label := range labels {
		if len(label) > maxLabel {
			faults = append(faults, fmt.Sprintf("has a label of %d characters, of which %d are the most", len(label),
				maxLabel))
		}
		if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			faults = append(faults, fmt.Sprintf("has a hyphen at an end of the label %q", label))
		}
	}
	if len(labels) < 2 {
		faults = append(faults, "has a single label")
	}
	return faults
}

// Returns a name without the spaces around it and the dots at its end, which get in by mistake, and in A-labels.
// Returns "" if that is no good name, or the same one.
func mended(name string) string {
	host, isWildcard := strings.CutPrefix(strings.TrimRight(strings.TrimSpace(name), "."), "*.")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil && !isASCII(host) {
		host = ascii
	}
	if isWildcard {
		host = "*." + host
	}
	if host == name || nameFault(host) != "" {
		return ""
	}
	return host
}

// Sells says whether an issuer sells a certificate for a common name. Nil stands for an issuer that is not known: any
// name will do.
type Sells func(commonName string) bool

func (s Sells) has(name string) bool { return s == nil || s(name) }

// Suggest picks the first name that would pass as common name with an issuer, or "". No message suggests a name that
// was not picked here: an advice that is refused next costs its reader more than none.
func Suggest(by Sells, names ...string) string {
	at := slices.IndexFunc(names, func(name string) bool { return commonNameFault(name) == "" && by.has(name) })
	if at < 0 {
		return ""
	}
	return names[at]
}

// Returns what to do about a name that is too long. One way is the wildcard that covers it, if need be with another
// issuer.
func shorter(name string, by Sells) string {
	_, parent, _ := strings.Cut(strings.TrimPrefix(name, "*."), ".")
	wildcard := Suggest(nil, "*."+parent)
	switch {
	case wildcard == "" || dcv.RegistryOwned(parent):
		return "choose a shorter name"
	case !by.has(wildcard):
		return fmt.Sprintf("choose a shorter name, or the wildcard %q and an issuer with a wildcard product", wildcard)
	default:
		return fmt.Sprintf("choose a shorter name, or the wildcard %q", wildcard)
	}
}
