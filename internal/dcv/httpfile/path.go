// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package httpfile shows control over a domain by a file on its web server (docs/design/cas.md §5.4).
//
// The controller itself serves the file. In the cluster, a solver makes only the way to it: an Ingress or an HTTPRoute
// for the one path, in the namespace of the controller's Service. It touches nobody's own routes and starts no Pod.
//
// A dcv.Record of a file has the host as FQDN, the path as Zone and the content as Value.
package httpfile

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// folder is where CAs look for files, and the only place where any is served (RFC 8615, CA/Browser Forum BR
// §3.2.2.4.18).
const folder = "/.well-known/pki-validation/"

// Hosts returns the names that have to serve the file of a domain, the domain itself first. A registered domain also
// needs the file at its www, and that www at the registered domain (docs/design/cas.md §5.4).
func Hosts(domain string) []string {
	registered, err := publicsuffix.EffectiveTLDPlusOne(domain)
	switch {
	case err != nil:
		return []string{domain}
	case domain == registered:
		return []string{domain, "www." + registered}
	case domain == "www."+registered:
		return []string{domain, registered}
	default:
		return []string{domain}
	}
}

// hostsOf returns the hosts that have to serve a file, of those that its order waits for. Each host of a path has one
// file: where the order has one of its own for the www of a registered domain, that is not asked for the domain's, too.
func hostsOf(rec dcv.Record, beside []dcv.Record) []string {
	return slices.DeleteFunc(Hosts(rec.FQDN), func(host string) bool {
		return host != rec.FQDN && slices.ContainsFunc(beside, func(other dcv.Record) bool {
			return other.FQDN == host && other.Zone == rec.Zone
		})
	})
}

// Serves says whether a host has to serve a file at a path, of those that an order waits for.
func Serves(rec dcv.Record, beside []dcv.Record, host, path string) bool {
	return rec.Zone == path && slices.Contains(hostsOf(rec, beside), host)
}

// Locate reads from the challenge where the file has to be. CAS names a path (docs/design/cas.md §3.4); a URL of the
// same host is taken, too.
func Locate(ch dcv.Challenge) (dcv.Record, error) {
	host := dcv.CanonicalName(ch.Domain)
	switch {
	case ch.RecordType != dcv.TypeFile:
		return dcv.Record{}, &dcv.Problem{Message: fmt.Sprintf("CAS asks for a DNS record for %q though a file was "+
			"ordered: use a DNS solver", ch.Domain)}
	case strings.HasPrefix(host, "*."):
		return dcv.Record{}, &dcv.Problem{Message: fmt.Sprintf("no CA takes a file for the wildcard %q: use "+
			"a DNS solver", ch.Domain)}
	case host == "" || ch.RecordName == "" || ch.RecordValue == "":
		return dcv.Record{}, fmt.Errorf("the validation file for %q is not known yet: CAS has not named it", ch.Domain)
	}
	at, err := url.Parse(ch.RecordName)
	if err != nil || at.Host != "" && dcv.CanonicalName(at.Hostname()) != host {
		return dcv.Record{}, unusable(ch)
	}
	file := "/" + strings.TrimPrefix(at.Path, "/")
	if file != path.Clean(file) || !strings.HasPrefix(file, folder) || strings.ContainsFunc(file, isOdd) ||
		at.RawQuery != "" {
		return dcv.Record{}, unusable(ch)
	}
	return dcv.Record{FQDN: host, Type: dcv.TypeFile, Value: ch.RecordValue, Zone: file}, nil
}

// Finds the characters that have no place in a validation file's name: some routers give them a meaning.
func isOdd(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/", r))
}

func unusable(ch dcv.Challenge) error {
	return &dcv.Problem{Message: fmt.Sprintf("CAS asks for the file %q of %q, which is not a file below %s: put it "+
		"there by hand and use the solver \"manual\"",
		ch.RecordName, ch.Domain, folder)}
}
