// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package certs makes signing requests and certificates for tests, by authorities of their own.
package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// Start is an hour after certificates begin, if nothing else is said; they last 90 days from there.
var Start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// NewKey is an ECDSA key on P-256.
func NewKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Request is a signing request in PEM. change may be nil.
func Request(t *testing.T, key crypto.Signer, commonName string, sans []string,
	change func(*x509.CertificateRequest)) []byte {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: commonName}, DNSNames: sans}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// Authority is a CA of the tests.
type Authority struct {
	t           *testing.T
	key         *ecdsa.PrivateKey
	Certificate *x509.Certificate
}

var serial int64

// Certify signs a certificate. An authority that is nil signs it with its own key.
func Certify(t *testing.T, by *Authority, subject string, key crypto.Signer,
	change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: subject},
		NotBefore: Start.Add(-time.Hour), NotAfter: Start.Add(90 * 24 * time.Hour),
	}
	change(template)
	issuer, signer := template, key
	if by != nil {
		issuer, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// AsCA makes a certificate that of an authority.
func AsCA(template *x509.Certificate) {
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
}

// NewRoot is an authority that signs its own certificate.
func NewRoot(t *testing.T, subject string) *Authority {
	t.Helper()
	return AuthorityBy(t, nil, subject, NewKey(t), func(*x509.Certificate) {})
}

// AuthorityBy is an authority with a key that is given, and a certificate that is changed before another authority
// signs it, or itself where that one is nil.
func AuthorityBy(t *testing.T, by *Authority, subject string, key *ecdsa.PrivateKey,
	change func(*x509.Certificate)) *Authority {
	t.Helper()
	return &Authority{t, key, Certify(t, by, subject, key, func(template *x509.Certificate) {
		AsCA(template)
		change(template)
	})}
}

// Intermediate makes an intermediate.
func (a *Authority) Intermediate(subject string) *Authority {
	a.t.Helper()
	key := NewKey(a.t)
	return &Authority{a.t, key, Certify(a.t, a, subject, key, AsCA)}
}

// Cross signs another authority's name and key once more.
func (a *Authority) Cross(other *Authority) *x509.Certificate {
	a.t.Helper()
	return Certify(a.t, a, other.Certificate.Subject.CommonName, other.key, AsCA)
}

// Leaf certifies a key for names, of which the first is the common name.
func (a *Authority) Leaf(key crypto.Signer, names ...string) *x509.Certificate {
	a.t.Helper()
	return Certify(a.t, a, names[0], key, func(template *x509.Certificate) { template.DNSNames = names })
}

// Bundle is certificates in PEM.
func Bundle(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// AnyNames are the seeds of what AnySigner signs: some of them a public CA could validate, and some not.
var AnyNames = []struct{ CommonName, SANs, Second string }{
	{"www.example.com", "www.example.com", ""},
	{"example.com", "www.example.com", ""},
	{"www.example.com", "example.com,WWW.example.com", ""},
	{"*.example.com", "example.com", ""},
	{"*.example.com", "www.*.example.com", ""},
	{"www.com", "com", ""},
	{"www.example.com", "", "other.example.com"},
	{"a..b", "-a.b,a-.b,_a.b", ""},
	{"www.xn--fsqu00a.xn--fiqs8s", "xn--fsqu00a.xn--fiqs8s", ""},
}

// AnySigner signs requests with one key. It returns nil for names that no request can hold.
func AnySigner(t *testing.T) func(commonName, sans, second string) []byte {
	key := NewKey(t)
	return func(commonName, sans, second string) []byte {
		template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: commonName}}
		if sans != "" {
			template.DNSNames = strings.Split(sans, ",")
		}
		if second != "" {
			commonNameOID := asn1.ObjectIdentifier{2, 5, 4, 3}
			template.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: commonNameOID, Value: second},
				{Type: commonNameOID, Value: commonName}}
		}
		der, err := x509.CreateCertificateRequest(bytes.NewReader(make([]byte, 1<<12)), template, key)
		if err != nil {
			return nil
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	}
}
