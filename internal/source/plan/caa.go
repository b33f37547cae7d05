// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"
)

// digiCert are the identities in CAA records by which DigiCert feels authorised for any of its brands, the usual one
// first: those that its CP/CPS lists in §4.2.1 (https://www.digicert.com/legal-repository), and
// https://docs.digicert.com/es/certcentral/manage-certificates/dns-caa-resource-record-check.html says to be
// interchangeable.
var digiCert = []string{
	"digicert.com", "www.digicert.com", "digicert.ne.jp", "cybertrust.ne.jp", "symantec.com", "thawte.com",
	"geotrust.com", "rapidssl.com", "quovadisglobal.com", "digitalcertvalidation.com",
	"volusion.digitalcertvalidation.com", "stratossl.digitalcertvalidation.com",
	"intermediatecertificate.digitalcertvalidation.com", "1and1.digitalcertvalidation.com", "amazon.com",
	"amazontrust.com", "awstrust.com", "amazonaws.com", "pkioverheid.nl", "flipkart.com",
}

// identities are those of a CA by the brand that a product code begins with (docs/design/cas.md §3.2).
var identities = map[string][]string{
	"digicert": digiCert,
	"symantec": digiCert,
	"geotrust": digiCert,
	// https://support.globalsign.com/ssl/general-ssl/caa-checking-ssl-certificates
	"globalsign": {"globalsign.com"},
}

// CAIdentities returns the identities in CAA records that authorise the CA behind a product code of CAS, the usual one
// first. If they are not known it returns none, and nothing is refused because of them.
func CAIdentities(productCode string) []string {
	brand, _, _ := strings.Cut(strings.ToLower(productCode), "-")
	return slices.Clone(identities[brand])
}
