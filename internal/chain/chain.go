// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package chain picks the certificates that a client needs from what CAS gives, and checks them against the request.
package chain

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

// MaxLength bounds the certificates of a chain, the leaf included.
const MaxLength = 8

// ErrNoCertificate says that there is no certificate in what CAS gave.
var ErrNoCertificate = errors.New("CAS gave no PEM certificate")

// ErrOtherKey says that the certificate is not for the request, and so the order is not this one's.
var ErrOtherKey = errors.New("none of its certificates has the key of the request")

// For returns the chain for a signing request, the leaf first. It picks the leaf by the key of the request, and walks
// up from there: which certificates CAS gives, and in what order, is not documented (docs/design/cas.md §3.5). A root
// is left out: those who trust it have it. An error is ErrNoCertificate, ErrOtherKey, or about the request itself.
func For(request, bundle []byte) ([]*x509.Certificate, error) {
	csr, err := pki.DecodeX509CertificateRequestBytes(request)
	if err != nil {
		return nil, fmt.Errorf("the signing request of this order cannot be read: %w", err)
	}
	given := Certificates(bundle)
	if len(given) == 0 {
		return nil, ErrNoCertificate
	}
	at := slices.IndexFunc(given, func(c *x509.Certificate) bool {
		same, err := pki.PublicKeysEqual(c.PublicKey, csr.PublicKey)
		return err == nil && same && !c.IsCA
	})
	if at < 0 {
		return nil, ErrOtherKey
	}
	chain := []*x509.Certificate{given[at]}
	for top := given[at]; len(chain) < MaxLength; {
		up := slices.IndexFunc(given, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(chain, c.Equal) && !isRoot(c) && top.CheckSignatureFrom(c) == nil
		})
		if up < 0 {
			break
		}
		top = given[up]
		chain = append(chain, top)
	}
	return chain, nil
}

// Certificates are those of a bundle that can be read; other blocks are none of ours.
func Certificates(bundle []byte) []*x509.Certificate {
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return found
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, certificate)
		}
	}
}

// Says whether a certificate names itself as its issuer. Does not check its signature: that says nothing that its key
// does not, and cannot always be checked, since roots of DigiCert and GlobalSign are signed with SHA-1.
func isRoot(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) &&
		(len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
}

// notBeforeSkew is how far the CA's clock may be ahead.
const notBeforeSkew = time.Hour

// Fits returns an error if a certificate is not for all of the names, or not for now.
func Fits(leaf *x509.Certificate, names []string, now time.Time) error {
	for _, name := range names {
		if !slices.ContainsFunc(leaf.DNSNames, func(given string) bool { return strings.EqualFold(given, name) }) {
			return fmt.Errorf("it is not for %q but for %s", name, strings.Join(leaf.DNSNames, ", "))
		}
	}
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it ended on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	case leaf.NotBefore.After(now.Add(notBeforeSkew)):
		return fmt.Errorf("it begins only on %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// Usable returns the chain for a signing request that is for all of the names and for now, the leaf first.
func Usable(request, bundle []byte, names []string, now time.Time) ([]*x509.Certificate, error) {
	certificates, err := For(request, bundle)
	if err != nil {
		return nil, err
	}
	return certificates, Fits(certificates[0], names, now)
}

// IsYoung says that a certificate has at least two thirds of its life left. cert-manager renews in the last third by
// default, and a renewal must be a new certificate.
func IsYoung(notBefore, notAfter, now time.Time) bool {
	return notAfter.Sub(now) >= notAfter.Sub(notBefore)*2/3
}

// Encode is a chain in PEM.
func Encode(chain []*x509.Certificate) []byte {
	var out []byte
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}
