// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

// ingredients are what bundles are made of. The first two alone make a good one.
type ingredients struct {
	csr    []byte
	names  []string
	blocks [][]byte
}

func prepare(t *testing.T) *ingredients {
	t.Helper()
	key, root, old := newKey(t), newRoot(t, "root"), newRoot(t, "old root")
	middle := root.authority("middle")
	name := "www.example.com"
	expired := certify(t, middle, name, key, func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{name}, noon.Add(-time.Second)
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	i := &ingredients{csr: request(t, key, name, nil, nil), names: []string{name}}
	i.blocks = [][]byte{
		bundle(middle.leaf(key, name, "example.com")), bundle(middle.cert), bundle(root.cert), bundle(old.cross(root)), bundle(old.cross(middle)),
		bundle(old.cert), bundle(middle.leaf(newKey(t), name)), bundle(middle.leaf(key, "www.example.net")), bundle(expired),
		bundle(certify(t, root, name, key, asCA)), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), i.csr,
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no certificate")}), []byte("subject=CN = www.example.com\n"),
	}
	return i
}

// mix makes a bundle by a recipe: each byte adds a block, cuts the end off, or damages a byte. isWhole tells that
// nothing was cut or damaged.
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

// FuzzNoBundleMakesAWrongChain lets CAS give any certificates, in any order, with anything in between. What is
// delivered is a chain for the request; everything else is held, and nothing of it is kept.
func FuzzNoBundleMakesAWrongChain(f *testing.F) {
	for _, recipe := range [][]byte{{}, {0}, {0, 1}, {1, 0, 2}, {10, 0, 10, 1, 10}, {0, 4, 1, 3, 5, 2}, {2, 3, 4, 5}, {6, 0, 1}, {7, 0, 1}, {8}, {9, 0}, {0, 0, 1, 1}, {0, 14, 1}, {0, 1, 15}, {12, 13, 0, 11, 1}} {
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
		run := issued(have.csr, have.names, append(mixed, tail...))
		end := (&OrderReconciler{}).issue(t.Context(), run)
		status := run.order.Status
		if len(status.Certificate) == 0 {
			if end.kind != outcomeStall || end.reason != "InvalidCertificate" || status.NotAfter != nil || strings.Contains(end.message, "-----") {
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

// isGood says that a recipe has the right leaf, and none before it that has its key.
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

// checkChain knows a chain without the help of the code that made it.
func checkChain(t *testing.T, have *ingredients, delivered []byte) {
	t.Helper()
	var chain []*x509.Certificate
	rest := delivered
	for len(rest) > 0 {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 || !bytes.HasPrefix(rest, []byte("-----BEGIN CERTIFICATE-----\n")) {
			t.Fatalf("something else is delivered: %q", rest)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		chain, rest = append(chain, certificate), after
	}
	csr, err := pki.DecodeX509CertificateRequestBytes(have.csr)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := pki.PublicKeysEqual(chain[0].PublicKey, csr.PublicKey); err != nil || !same || chain[0].IsCA {
		t.Error("the leaf is not for the key of the request")
	}
	for _, name := range have.names {
		if err := chain[0].VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if noon.After(chain[0].NotAfter) {
		t.Error("the leaf has expired")
	}
	for i, certificate := range chain {
		if i > 0 && chain[i-1].CheckSignatureFrom(certificate) != nil {
			t.Errorf("certificate %d did not sign the one before", i)
		}
		if certificate.CheckSignatureFrom(certificate) == nil || i >= maxChain {
			t.Errorf("certificate %d is a root, or one too many", i)
		}
	}
}
