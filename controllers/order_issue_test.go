// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
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
	leaf, chain, err := chainFor(csr, given)
	if err != nil {
		t.Error(err)
		return
	}
	if len(chain) == 0 || leaf != chain[0] {
		t.Error("the chain does not begin with the leaf")
	}
	wantSame(t, names(chain), names(want))
	if !bytes.Equal(encode(chain), bundle(want...)) {
		t.Error("the certificates have the right names and are others")
	}
}

// orders are all in which the certificates can be given.
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
	key, root, stranger := newKey(t), newRoot(t, "root"), newRoot(t, "stranger")
	middle := root.authority("middle")
	lower := middle.authority("lower")
	leaf := lower.leaf(key, "www.example.com")
	csr := request(t, key, "www.example.com", nil, nil)
	all := []*x509.Certificate{leaf, lower.cert, middle.cert, root.cert, stranger.leaf(newKey(t), "b.example.com")}
	for _, given := range orders(all) {
		wantChain(t, csr, bundle(given...), leaf, lower.cert, middle.cert)
	}
}

func TestOnlyWhatLeadsUpFromTheLeafIsInTheChain(t *testing.T) {
	key, root := newKey(t), newRoot(t, "root")
	middle := root.authority("middle")
	leaf := middle.leaf(key, "www.example.com")
	csr := request(t, key, "www.example.com", nil, nil)

	old := newRoot(t, "old root")
	crossed := old.cross(root) // the root, vouched for by an older one
	twin := old.cross(middle)
	namesake := newRoot(t, "another").authority("middle")
	direct := root.leaf(key, "www.example.com")
	tests := map[string]struct {
		given, want []*x509.Certificate
	}{
		"a lone leaf":                    {[]*x509.Certificate{leaf}, []*x509.Certificate{leaf}},
		"a leaf and its root":            {[]*x509.Certificate{direct, root.cert}, []*x509.Certificate{direct}},
		"a gap in the middle":            {[]*x509.Certificate{leaf, root.cert, old.cert}, []*x509.Certificate{leaf}},
		"strangers":                      {[]*x509.Certificate{old.cert, old.authority("x").cert, leaf, middle.cert}, []*x509.Certificate{leaf, middle.cert}},
		"a namesake of the issuer":       {[]*x509.Certificate{leaf, namesake.cert, middle.cert}, []*x509.Certificate{leaf, middle.cert}},
		"only a namesake of the issuer":  {[]*x509.Certificate{leaf, namesake.cert}, []*x509.Certificate{leaf}},
		"a root that is crossed":         {[]*x509.Certificate{old.cert, root.cert, crossed, middle.cert, leaf}, []*x509.Certificate{leaf, middle.cert, crossed}},
		"a crossed twin after its twin":  {[]*x509.Certificate{leaf, middle.cert, twin}, []*x509.Certificate{leaf, middle.cert}},
		"a crossed twin before its twin": {[]*x509.Certificate{leaf, twin, middle.cert, old.cert}, []*x509.Certificate{leaf, twin}},
		"each block twice":               {[]*x509.Certificate{leaf, leaf, middle.cert, middle.cert, crossed, crossed, root.cert, root.cert}, []*x509.Certificate{leaf, middle.cert, crossed}},
		"roots that cross each other": {
			[]*x509.Certificate{leaf, middle.cert, crossed, root.cross(old), crossed, root.cross(old)}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.want != nil {
				wantChain(t, csr, bundle(test.given...), test.want...)
				return
			}
			twice := slices.Concat(test.given[:4], test.given[:4]) // copies of the same blocks
			wantChain(t, csr, bundle(twice...), test.given[:4]...)
		})
	}
}

func TestAChainEndsThoughTheBundleDoesNot(t *testing.T) {
	key, top := newKey(t), newRoot(t, "root")
	var given []*x509.Certificate
	for depth := range 10 {
		top = top.authority(fmt.Sprint("depth ", depth))
		given = append(given, top.cert)
	}
	leaf := top.leaf(key, "www.example.com")
	slices.Reverse(given)
	want := append([]*x509.Certificate{leaf}, given[:maxChain-1]...)
	wantChain(t, request(t, key, "www.example.com", nil, nil), bundle(append(given, leaf)...), want...)
}

// TestARootIsLeftOutWhateverItIsSignedWith has a root as those of DigiCert and GlobalSign are, which Go does not verify.
func TestARootIsLeftOutWhateverItIsSignedWith(t *testing.T) {
	key, rootKey := newKey(t), newKey(t)
	for name, change := range map[string]func(*x509.Certificate){
		"without an id of its authority's key": func(*x509.Certificate) {},
		"with one":                             func(c *x509.Certificate) { c.SubjectKeyId, c.AuthorityKeyId = []byte("key"), []byte("key") },
	} {
		t.Run(name, func(t *testing.T) {
			root := &authority{t, rootKey, certify(t, nil, "root", rootKey, func(c *x509.Certificate) {
				asCA(c)
				c.SignatureAlgorithm = x509.ECDSAWithSHA1
				change(c)
			})}
			if root.cert.CheckSignatureFrom(root.cert) == nil {
				t.Fatal("Go verifies SHA-1 again")
			}
			middle := root.authority("middle")
			leaf := middle.leaf(key, "www.example.com")
			wantChain(t, request(t, key, "www.example.com", nil, nil), bundle(leaf, middle.cert, root.cert), leaf, middle.cert)
		})
	}
}

// TestAnAuthorityWithANewKeyIsNoRoot has one that bears its issuer's name, and another key.
func TestAnAuthorityWithANewKeyIsNoRoot(t *testing.T) {
	key, newerKey, root := newKey(t), newKey(t), newRoot(t, "root")
	newer := &authority{t, newerKey, certify(t, root, "root", newerKey, func(c *x509.Certificate) {
		asCA(c)
		c.SubjectKeyId, c.AuthorityKeyId = []byte("newer"), root.cert.SubjectKeyId
	})}
	leaf := newer.leaf(key, "www.example.com")
	wantChain(t, request(t, key, "www.example.com", nil, nil), bundle(root.cert, newer.cert, leaf), leaf, newer.cert)
}

func TestWhatIsNoCertificateIsPassedOver(t *testing.T) {
	key, root := newKey(t), newRoot(t, "root")
	middle := root.authority("middle")
	leaf := middle.leaf(key, "www.example.com")
	csr := request(t, key, "www.example.com", nil, nil)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no certificate")})
	text := []byte("subject=CN = www.example.com\n")
	for name, given := range map[string][]byte{
		"a private key":       slices.Concat(private, bundle(leaf), private, bundle(middle.cert), private),
		"a signing request":   slices.Concat(csr, bundle(leaf, middle.cert)),
		"a broken block":      slices.Concat(broken, bundle(leaf), broken, bundle(middle.cert)),
		"text between":        slices.Concat(text, bundle(leaf), text, bundle(middle.cert), text),
		"lines as on Windows": bytes.ReplaceAll(bundle(leaf, middle.cert), []byte("\n"), []byte("\r\n")),
		"no line at the end":  bytes.TrimSpace(bundle(leaf, middle.cert)),
		"a cut end":           bundle(leaf, middle.cert, root.cert)[:len(bundle(leaf, middle.cert))+40],
	} {
		t.Run(name, func(t *testing.T) { wantChain(t, csr, given, leaf, middle.cert) })
	}
}

func TestABundleThatDoesNotFitTheRequestSaysWhy(t *testing.T) {
	key, root := newKey(t), newRoot(t, "root")
	csr := request(t, key, "www.example.com", nil, nil)
	ownKey := &authority{t, key, certify(t, root, "www.example.com", key, asCA)}
	const empty, other = "CAS gave no PEM certificate", "none of its certificates has the key of the request"
	for name, test := range map[string]struct {
		csr, given []byte
		want       string
	}{
		"nothing":                   {csr, nil, empty},
		"text":                      {csr, []byte("-----BEGIN CERTIFICATE-----\nnone\n"), empty},
		"another kind of block":     {csr, pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: root.leaf(key, "www.example.com").Raw}), empty},
		"only a signing request":    {csr, csr, empty},
		"another key":               {csr, bundle(root.leaf(newKey(t), "www.example.com"), root.cert), other},
		"only the root":             {csr, bundle(root.cert), other},
		"a CA with the request's":   {csr, bundle(ownKey.cert), other},
		"a request that is no more": {[]byte("x"), bundle(root.cert), "the signing request of this order cannot be read: error decoding certificate request PEM block: no PEM data was found in given input"},
	} {
		t.Run(name, func(t *testing.T) {
			leaf, chain, err := chainFor(test.csr, test.given)
			wantText(t, err, test.want)
			if leaf != nil || chain != nil {
				t.Error("there is a chain as well")
			}
		})
	}
}

func TestEncodedIsWhatWasGivenAndNothingElse(t *testing.T) {
	root := newRoot(t, "root")
	got := certificates(encode([]*x509.Certificate{root.cert, root.authority("middle").cert}))
	wantSame(t, names(got), []string{"root by root", "middle by root"})
	if text := string(encode([]*x509.Certificate{root.cert})); strings.Count(text, "-----BEGIN") != 1 || !strings.HasSuffix(text, "-----END CERTIFICATE-----\n") {
		t.Errorf("got %s", text)
	}
}
