// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cert-manager/cert-manager/pkg/util/pki"

	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
)

// ingredients are a signing request, its names, and the blocks that bundles are made of. The first two blocks alone
// make a good bundle.
type ingredients struct {
	csr    []byte
	names  []string
	blocks [][]byte
}

func prepare(t *testing.T) *ingredients {
	t.Helper()
	key, root, old := certs.NewKey(t), certs.NewRoot(t, "root"), certs.NewRoot(t, "old root")
	middle := root.Intermediate("middle")
	name := "www.example.com"
	expired := certs.Certify(t, middle, name, key, func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{name}, noon.Add(-time.Second)
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	i := &ingredients{csr: certs.Request(t, key, name, nil, nil), names: []string{name}}
	i.blocks = [][]byte{
		certs.Bundle(middle.Leaf(key, name, "example.com")), certs.Bundle(middle.Certificate),
		certs.Bundle(root.Certificate), certs.Bundle(old.Cross(root)),
		certs.Bundle(old.Cross(middle)),
		certs.Bundle(old.Certificate), certs.Bundle(middle.Leaf(certs.NewKey(t), name)),
		certs.Bundle(middle.Leaf(key, "www.example.net")),
		certs.Bundle(expired),
		certs.Bundle(certs.Certify(t, root, name, key, certs.AsCA)),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		i.csr,
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no certificate")}),
		[]byte("subject=CN = www.example.com\n"),
	}
	return i
}

// Makes a bundle by a recipe: each byte adds a block, cuts the end off, or damages a byte. isWhole says that nothing
// was cut or damaged.
func (i *ingredients) mix(recipe []byte) (mixed []byte, isWhole bool) {
	isWhole = true
	for at, step := range recipe {
		switch n := int(step) % (len(i.blocks) + 2); {
		case n < len(i.blocks):
			mixed = append(mixed, i.blocks[n]...)
		case len(mixed) == 0:
		case n == len(i.blocks):
			mixed, isWhole = mixed[:len(mixed)-min(len(mixed), 1+int(step)*3)], false
		default:
			mixed[(at*7919+int(step)*104729)%len(mixed)] ^= 1 << (step % 8)
			isWhole = false
		}
	}
	return mixed, isWhole
}

// FuzzNoBundleMakesAWrongChain lets CAS give any certificates, in any order, with anything in between. Whatever is
// delivered must be a chain for the request; otherwise the order must be held, and keep nothing of the bundle.
func FuzzNoBundleMakesAWrongChain(f *testing.F) {
	for _, recipe := range [][]byte{{}, {0}, {0, 1}, {1, 0, 2}, {10, 0, 10, 1, 10}, {0, 4, 1, 3, 5, 2}, {2, 3, 4, 5},
		{6, 0, 1}, {7, 0, 1}, {8}, {9, 0}, {0, 0, 1, 1}, {0, 14, 1}, {0, 1, 15}, {12, 13, 0, 11, 1}} {
		f.Add(recipe, []byte(nil))
	}
	f.Add([]byte{0, 1}, []byte("-----BEGIN CERTIFICATE-----\n"))
	var once sync.Once
	var have *ingredients
	f.Fuzz(func(t *testing.T, recipe, tail []byte) {
		if len(recipe) > 64 {
			return
		}
		once.Do(func() { have = prepare(t) })
		mixed, isWhole := have.mix(recipe)
		run := issued(t, have.csr, have.names, append(mixed, tail...))
		end := New(Config{}).issue(t.Context(), run)
		status := run.order.Status
		if len(status.Certificate) == 0 {
			if end.kind != outcomeHold || end.reason != "InvalidCertificate" || status.NotAfter != nil ||
				strings.Contains(end.message, "-----") {
				t.Errorf("held as %+v with %+v", end, status)
			}
			if isWhole && isGood(recipe, len(have.blocks)) {
				t.Errorf("held, though the certificate was there: %s", end.message)
			}
			return
		}
		if end.kind != outcomeWait {
			t.Errorf("delivered, with %+v", end)
		}
		checkChain(t, have, status.Certificate)
	})
}

// Says whether a recipe has the right leaf, and before it no other certificate with the same key.
func isGood(recipe []byte, blocks int) bool {
	for _, step := range recipe {
		switch int(step) % (blocks + 2) {
		case 0:
			return true
		case 7, 8:
			return false
		}
	}
	return false
}

// Checks a delivered chain without the help of the code that made it.
func checkChain(t *testing.T, have *ingredients, delivered []byte) {
	t.Helper()
	var path []*x509.Certificate
	rest := delivered
	for len(rest) > 0 {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 ||
			!bytes.HasPrefix(rest, []byte("-----BEGIN CERTIFICATE-----\n")) {
			t.Fatalf("something else is delivered: %q", rest)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		path, rest = append(path, certificate), after
	}
	csr, err := pki.DecodeX509CertificateRequestBytes(have.csr)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := pki.PublicKeysEqual(path[0].PublicKey, csr.PublicKey); err != nil || !same || path[0].IsCA {
		t.Error("the leaf is not for the key of the request")
	}
	for _, name := range have.names {
		if err := path[0].VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if noon.After(path[0].NotAfter) {
		t.Error("the leaf has expired")
	}
	for i, certificate := range path {
		if i > 0 && path[i-1].CheckSignatureFrom(certificate) != nil {
			t.Errorf("certificate %d did not sign the one before", i)
		}
		if certificate.CheckSignatureFrom(certificate) == nil || i >= chain.MaxLength {
			t.Errorf("certificate %d is a root, or one too many", i)
		}
	}
}
