// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"slices"
	"strings"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

// Respelled returns the names of a signing request that differ from those in names only by upper and lower case.
// cert-manager compares names as they are written. A dot at the end of a name makes no difference here: such a name is
// refused before anything is ordered.
func Respelled(request []byte, names []string) []string {
	csr, err := pki.DecodeX509CertificateRequestBytes(request)
	if err != nil {
		return nil // nothing was ordered for it
	}
	asked := slices.Compact(slices.Sorted(slices.Values(append(csr.DNSNames, csr.Subject.CommonName))))
	return slices.DeleteFunc(asked, func(name string) bool {
		return slices.Contains(names, name) || !slices.Contains(Lowered(names), strings.ToLower(name))
	})
}
