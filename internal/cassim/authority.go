// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// authority is a root and an intermediate that signs.
type authority struct {
	root, intermediate *x509.Certificate
	key                *ecdsa.PrivateKey
	serial             int64
}

func newAuthority(now time.Time) *authority {
	rootKey, key := newKey(), newKey()
	root := caTemplate("Simulated Root", 1, now)
	rootCert := mustSign(root, root, &rootKey.PublicKey, rootKey)
	intermediate := mustSign(caTemplate("Simulated DV Intermediate", 2, now), rootCert, &key.PublicKey, rootKey)
	return &authority{root: rootCert, intermediate: intermediate, key: key, serial: 1000}
}

func caTemplate(name string, serial int64, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"aliyun-issuer simulator"}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// validity is that of a public certificate since 2026-03-15 (CAS contract §4).
const validity = 200 * 24 * time.Hour

// issue signs what the order asks for, as it was told to distort it.
func (a *authority) issue(o *order, now time.Time) *x509.Certificate {
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: o.csr.Subject.CommonName},
		DNSNames:  append([]string{o.csr.Subject.CommonName}, o.extraNames...),
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	if o.wrongNames != nil {
		template.DNSNames = o.wrongNames
	}
	if !o.notAfter.IsZero() {
		template.NotBefore, template.NotAfter = o.notBefore, o.notAfter
	}
	public := o.csr.PublicKey
	if o.wrongKey {
		public = &newKey().PublicKey
	}
	return mustSign(template, a.intermediate, public, a.key)
}

func (a *authority) rootPEM() []byte { return toPEM(a.root) }

// bundle is the text that CAS gives for the leaf.
func (a *authority) bundle(leaf *x509.Certificate, form ChainForm) string {
	certs := []*x509.Certificate{leaf, a.intermediate}
	switch form {
	case ChainLeafOnly:
		certs = certs[:1]
	case ChainWithRoot:
		certs = append(certs, a.root)
	case ChainShuffled:
		certs = []*x509.Certificate{a.root, a.intermediate, leaf}
	case ChainUnrelated:
		certs = append(certs, newAuthority(leaf.NotBefore).intermediate)
	}
	var out []byte
	for _, c := range certs {
		out = append(out, toPEM(c)...)
	}
	return string(out)
}

func toPEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the system has no randomness
	}
	return key
}

func mustSign(template, parent *x509.Certificate, public any, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		panic(err) // all input was checked before
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return certificate
}
