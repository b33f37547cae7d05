// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package httpfile shows control over a domain by a file on its web server (CAS contract §4, FILE token).
//
// The controller itself serves the file. What is made in the cluster is only the way to it: an Ingress or an HTTPRoute for the one
// path, beside the controller's Service, so that nobody's own routes are touched and no Pod is started.
//
// A dcv.Record of a file has the host as FQDN, the path as Zone and the content as Value.
package httpfile

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// folder is where CAs look for files, and the only place where any is served (RFC 8615, CA/Browser Forum BR §3.2.2.4.18).
const folder = "/.well-known/pki-validation/"

// Hosts are the names that have to serve the file of a domain: of a registered domain and its www each asks for the other (CAS contract
// §4). The domain itself comes first.
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

// locate reads what CAS asks for. It names a path (CAS contract §2); an address of the same host is taken, too.
func locate(ch dcv.Challenge) (dcv.Record, error) {
	host := dcv.CanonicalName(ch.Domain)
	switch {
	case ch.RecordType != dcv.TypeFile:
		return dcv.Record{}, &dcv.Problem{Message: fmt.Sprintf("CAS asks for a DNS record for %q though a file was ordered: use a DNS solver", ch.Domain)}
	case strings.HasPrefix(host, "*."):
		return dcv.Record{}, &dcv.Problem{Message: fmt.Sprintf("no CA takes a file for the wildcard %q: use a DNS solver", ch.Domain)}
	case host == "" || ch.RecordName == "" || ch.RecordValue == "":
		return dcv.Record{}, fmt.Errorf("the validation file for %q is not known yet: CAS has not named it", ch.Domain)
	}
	at, err := url.Parse(ch.RecordName)
	if err != nil || at.Host != "" && dcv.CanonicalName(at.Hostname()) != host {
		return dcv.Record{}, unusable(ch)
	}
	file := "/" + strings.TrimPrefix(at.Path, "/")
	if file != path.Clean(file) || !strings.HasPrefix(file, folder) || strings.ContainsFunc(file, isOdd) || at.RawQuery != "" {
		return dcv.Record{}, unusable(ch)
	}
	return dcv.Record{FQDN: host, Type: dcv.TypeFile, Value: ch.RecordValue, Zone: file}, nil
}

// isOdd finds what has no place in the name of a validation file and a meaning to some router.
func isOdd(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/", r))
}

func unusable(ch dcv.Challenge) error {
	return &dcv.Problem{Message: fmt.Sprintf("CAS asks for the file %q of %q, which is not a file below %s: put it there by hand and use the solver \"manual\"",
		ch.RecordName, ch.Domain, folder)}
}
