// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"bytes"
	"crypto/x509"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

// SameKey says that two signing requests, in PEM, have one public key. It returns false if one of them cannot be read.
func SameKey(a, b []byte) bool { return PublicKey(a) != nil && bytes.Equal(PublicKey(a), PublicKey(b)) }

// PublicKey returns the public key of a signing request, in DER, or nil if the request cannot be read.
func PublicKey(request []byte) []byte {
	csr, err := pki.DecodeX509CertificateRequestBytes(request)
	if err != nil {
		return nil
	}
	key, err := x509.MarshalPKIXPublicKey(csr.PublicKey)
	if err != nil {
		return nil
	}
	return key
}
