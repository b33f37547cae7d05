// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// names says which certificates these are, for a diff that can be read.
func names(chain []*x509.Certificate) []string {
	var out []string
	for _, c := range chain {
		out = append(out, c.Subject.CommonName+" by "+c.Issuer.CommonName)
	}
	return out
}

func wantChain(t *testing.T, csr, given []byte, want ...*x509.Certificate) {
	t.Helper()
	chain, err := For(csr, given)
	if err != nil {
		t.Error(err)
		return
	}
	compare.Same(t, names(chain), names(want))
	if !bytes.Equal(Encode(chain), certs.Bundle(want...)) {
		t.Error("the certificates have the right names and are others")
	}
}

// Returns the certificates in all orders in which they can be given.
func orders(certs []*x509.Certificate) [][]*x509.Certificate {
	if len(certs) < 2 {
		return [][]*x509.Certificate{certs}
	}
	var out [][]*x509.Certificate
	for i, first := range certs {
		rest := slices.Concat(certs[:i], certs[i+1:])
		for _, order := range orders(rest) {
			out = append(out, append([]*x509.Certificate{first}, order...))
		}
	}
	return out
}

func TestTheChainIsTheSameInWhateverOrderCASGivesIt(t *testing.T) {
	key, root, stranger := certs.NewKey(t), certs.NewRoot(t, "root"), certs.NewRoot(t, "stranger")
	middle := root.Intermediate("middle")
	lower := middle.Intermediate("lower")
	leaf := lower.Leaf(key, "www.example.com")
	csr := certs.Request(t, key, "www.example.com", nil, nil)
	all := []*x509.Certificate{leaf, lower.Certificate, middle.Certificate, root.Certificate,
		stranger.Leaf(certs.NewKey(t), "b.example.com")}
	for _, given := range orders(all) {
		wantChain(t, csr, certs.Bundle(given...), leaf, lower.Certificate, middle.Certificate)
	}
}

func TestOnlyWhatLeadsUpFromTheLeafIsInTheChain(t *testing.T) {
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	middle := root.Intermediate("middle")
	leaf := middle.Leaf(key, "www.example.com")
	csr := certs.Request(t, key, "www.example.com", nil, nil)

	old := certs.NewRoot(t, "old root")
	crossed := old.Cross(root) // the root, vouched for by an older one
	twin := old.Cross(middle)
	namesake := certs.NewRoot(t, "another").Intermediate("middle")
	direct := root.Leaf(key, "www.example.com")
	tests := map[string]struct {
		given, want []*x509.Certificate
	}{
		"a lone leaf":         {[]*x509.Certificate{leaf}, []*x509.Certificate{leaf}},
		"a leaf and its root": {[]*x509.Certificate{direct, root.Certificate}, []*x509.Certificate{direct}},
		"a gap in the middle": {[]*x509.Certificate{leaf, root.Certificate, old.Certificate},
			[]*x509.Certificate{leaf}},
		"strangers": {[]*x509.Certificate{old.Certificate, old.Intermediate("x").Certificate, leaf, middle.Certificate},
			[]*x509.Certificate{leaf, middle.Certificate}},
		"a namesake of the issuer": {[]*x509.Certificate{leaf, namesake.Certificate, middle.Certificate},
			[]*x509.Certificate{leaf, middle.Certificate}},
		"only a namesake of the issuer": {[]*x509.Certificate{leaf, namesake.Certificate}, []*x509.Certificate{leaf}},
		"a root that is crossed": {
			[]*x509.Certificate{old.Certificate, root.Certificate, crossed, middle.Certificate, leaf},
			[]*x509.Certificate{leaf, middle.Certificate, crossed}},
		"a crossed twin after its twin": {[]*x509.Certificate{leaf, middle.Certificate, twin},
			[]*x509.Certificate{leaf, middle.Certificate}},
		"a crossed twin before its twin": {[]*x509.Certificate{leaf, twin, middle.Certificate, old.Certificate},
			[]*x509.Certificate{leaf, twin}},
		"each block twice": {[]*x509.Certificate{leaf, leaf, middle.Certificate, middle.Certificate, crossed, crossed,
			root.Certificate,
			root.Certificate}, []*x509.Certificate{leaf, middle.Certificate, crossed}},
		"roots that cross each other": {
			[]*x509.Certificate{leaf, middle.Certificate, crossed, root.Cross(old), crossed, root.Cross(old)}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.want != nil {
				wantChain(t, csr, certs.Bundle(test.given...), test.want...)
				return
			}
			twice := slices.Concat(test.given[:4], test.given[:4]) // copies of the same blocks
			wantChain(t, csr, certs.Bundle(twice...), test.given[:4]...)
		})
	}
}

func TestAChainEndsThoughTheBundleDoesNot(t *testing.T) {
	key, top := certs.NewKey(t), certs.NewRoot(t, "root")
	var given []*x509.Certificate
	for depth := range 10 {
		top = top.Intermediate(fmt.Sprint("depth ", depth))
		given = append(given, top.Certificate)
	}
	leaf := top.Leaf(key, "www.example.com")
	slices.Reverse(given)
	want := append([]*x509.Certificate{leaf}, given[:MaxLength-1]...)
	wantChain(t, certs.Request(t, key, "www.example.com", nil, nil), certs.Bundle(append(given, leaf)...), want...)
}

// TestARootIsLeftOutWhateverItIsSignedWith has a root as those of DigiCert and GlobalSign are, which Go does not
// verify.
func TestARootIsLeftOutWhateverItIsSignedWith(t *testing.T) {
	key, rootKey := certs.NewKey(t), certs.NewKey(t)
	for name, change := range map[string]func(*x509.Certificate){
		"without an id of its authority's key": func(*x509.Certificate) {},
		"with one": func(c *x509.Certificate) {
			c.SubjectKeyId, c.AuthorityKeyId = []byte("key"), []byte("key")
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := certs.AuthorityBy(t, nil, "root", rootKey, func(c *x509.Certificate) {
				c.SignatureAlgorithm = x509.ECDSAWithSHA1
				change(c)
			})
			if root.Certificate.CheckSignatureFrom(root.Certificate) == nil {
				t.Fatal("Go verifies SHA-1 again")
			}
			middle := root.Intermediate("middle")
			leaf := middle.Leaf(key, "www.example.com")
			wantChain(t, certs.Request(t, key, "www.example.com", nil, nil),
				certs.Bundle(leaf, middle.Certificate, root.Certificate), leaf,
				middle.Certificate)
		})
	}
}

// TestAnAuthorityWithANewKeyIsNoRoot has one that bears its issuer's name, and another key.
func TestAnAuthorityWithANewKeyIsNoRoot(t *testing.T) {
	key, newerKey, root := certs.NewKey(t), certs.NewKey(t), certs.NewRoot(t, "root")
	newer := certs.AuthorityBy(t, root, "root", newerKey, func(c *x509.Certificate) {
		c.SubjectKeyId, c.AuthorityKeyId = []byte("newer"), root.Certificate.SubjectKeyId
	})
	leaf := newer.Leaf(key, "www.example.com")
	wantChain(t, certs.Request(t, key, "www.example.com", nil, nil),
		certs.Bundle(root.Certificate, newer.Certificate, leaf), leaf, newer.Certificate)
}

func TestWhatIsNoCertificateIsPassedOver(t *testing.T) {
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	middle := root.Intermediate("middle")
	leaf := middle.Leaf(key, "www.example.com")
	csr := certs.Request(t, key, "www.example.com", nil, nil)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no certificate")})
	text := []byte("subject=CN = www.example.com\n")
	for name, given := range map[string][]byte{
		"a private key": slices.Concat(private, certs.Bundle(leaf), private, certs.Bundle(middle.Certificate),
			private),
		"a signing request":   slices.Concat(csr, certs.Bundle(leaf, middle.Certificate)),
		"a broken block":      slices.Concat(broken, certs.Bundle(leaf), broken, certs.Bundle(middle.Certificate)),
		"text between":        slices.Concat(text, certs.Bundle(leaf), text, certs.Bundle(middle.Certificate), text),
		"lines as on Windows": bytes.ReplaceAll(certs.Bundle(leaf, middle.Certificate), []byte("\n"), []byte("\r\n")),
		"no line at the end":  bytes.TrimSpace(certs.Bundle(leaf, middle.Certificate)),
		"a cut end": certs.Bundle(leaf, middle.Certificate,
			root.Certificate)[:len(certs.Bundle(leaf, middle.Certificate))+40],
	} {
		t.Run(name, func(t *testing.T) { wantChain(t, csr, given, leaf, middle.Certificate) })
	}
}

func TestABundleThatDoesNotFitTheRequestSaysWhy(t *testing.T) {
	key, root := certs.NewKey(t), certs.NewRoot(t, "root")
	csr := certs.Request(t, key, "www.example.com", nil, nil)
	ownKey := certs.AuthorityBy(t, root, "www.example.com", key, func(*x509.Certificate) {})
	const empty, other = "CAS gave no PEM certificate", "none of its certificates has the key of the request"
	for name, test := range map[string]struct {
		csr, given []byte
		want       string
	}{
		"nothing": {csr, nil, empty},
		"text":    {csr, []byte("-----BEGIN CERTIFICATE-----\nnone\n"), empty},
		"another kind of block": {
			csr, pem.EncodeToMemory(
				&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: root.Leaf(key, "www.example.com").Raw}), empty},
		"only a signing request": {csr, csr, empty},
		"another key": {csr, certs.Bundle(root.Leaf(certs.NewKey(t), "www.example.com"), root.Certificate),
			other},
		"only the root":           {csr, certs.Bundle(root.Certificate), other},
		"a CA with the request's": {csr, certs.Bundle(ownKey.Certificate), other},
		"a request that is no more": {[]byte("x"), certs.Bundle(root.Certificate), "the signing request of this " +
			"order cannot be " +
			"read: error decoding certificate request PEM block: no PEM data was found in given input"},
	} {
		t.Run(name, func(t *testing.T) {
			chain, err := For(test.csr, test.given)
			compare.Text(t, err, test.want)
			if chain != nil {
				t.Error("there is a chain as well")
			}
		})
	}
}

func TestEncodedIsWhatWasGivenAndNothingElse(t *testing.T) {
	root := certs.NewRoot(t, "root")
	got := Certificates(Encode([]*x509.Certificate{root.Certificate, root.Intermediate("middle").Certificate}))
	compare.Same(t, names(got), []string{"root by root", "middle by root"})
	if text := string(Encode([]*x509.Certificate{root.Certificate})); strings.Count(text, "-----BEGIN") != 1 ||
		!strings.HasSuffix(text, "-----END CERTIFICATE-----\n") {
		t.Errorf("got %s", text)
	}
}

func TestACertificateFitsByNamesAndDates(t *testing.T) {
	leaf := func(sans ...string) *x509.Certificate {
		return &x509.Certificate{DNSNames: sans, NotBefore: certs.Start, NotAfter: certs.Start.Add(time.Hour)}
	}
	tests := map[string]struct {
		leaf  *x509.Certificate
		names []string
		now   time.Time
		want  string
	}{
		"the name":                  {leaf("www.example.com"), []string{"www.example.com"}, certs.Start, ""},
		"the name in other letters": {leaf("WWW.example.com"), []string{"www.Example.COM"}, certs.Start, ""},
		"more names": {leaf("a.example.com", "www.example.com"), []string{"www.example.com"}, certs.Start,
			""},
		"another name": {leaf("a.example.com", "b.example.com"), []string{"www.example.com"}, certs.Start,
			`it is not for "www.example.com" but for a.example.com, b.example.com`},
		"one of two names": {leaf("example.com"), []string{"example.com", "www.example.com"}, certs.Start,
			`it is not for "www.example.com" but for example.com`},
		"a wildcard is another name": {leaf("*.example.com"), []string{"www.example.com"}, certs.Start,
			`it is not for "www.example.com" but for *.example.com`},
		"the wildcard":    {leaf("*.example.com"), []string{"*.example.com"}, certs.Start, ""},
		"the last second": {leaf("example.com"), []string{"example.com"}, certs.Start.Add(time.Hour), ""},
		"after the end": {leaf("example.com"), []string{"example.com"}, certs.Start.Add(time.Hour + time.Second),
			"it ended on 2026-11-23T13:00:00Z"},
		"a clock ahead": {leaf("example.com"), []string{"example.com"}, certs.Start.Add(-time.Hour), ""},
		"a beginning tomorrow": {leaf("example.com"), []string{"example.com"},
			certs.Start.Add(-time.Hour - time.Second), "it begins only on 2026-11-23T12:00:00Z"},
		"names are told before dates": {leaf("a.example.com"), []string{"example.com"}, certs.Start.Add(2 * time.Hour),
			`it is not for "example.com" but for a.example.com`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { compare.Text(t, Fits(test.leaf, test.names, test.now), test.want) })
	}
}
