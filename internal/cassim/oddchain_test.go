// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// blocks names the whole PEM blocks of a text, and returns what else is in it.
func blocks(text string) (names []string, rest string) {
	for left := []byte(text); ; {
		block, more := pem.Decode(left)
		if block == nil {
			return names, string(left)
		}
		left = more
		cert, err := x509.ParseCertificate(block.Bytes)
		switch {
		case block.Type != "CERTIFICATE":
			names = append(names, block.Type)
		case err != nil:
			names = append(names, "garbage")
		default:
			names = append(names, cert.Subject.CommonName+" by "+cert.Issuer.CommonName)
		}
	}
}

func TestChainsAreAsOddAsTheyAreAskedFor(t *testing.T) {
	const (
		leaf         = "example.com by Cassim DV Intermediate"
		intermediate = "Cassim DV Intermediate by Cassim Root"
		twin         = "Cassim DV Intermediate by Unrelated Root"
		root         = "Cassim Root by Cassim Root"
		stranger     = "Unrelated Root by Unrelated Root"
		parameters   = "DH PARAMETERS"
	)
	tests := map[cassim.ChainForm]struct {
		blocks []string
		rest   bool
	}{
		cassim.ChainEmpty:       {nil, false},
		cassim.ChainPartial:     {[]string{leaf}, true},
		cassim.ChainPartialLeaf: {nil, true},
		cassim.ChainCrossSigned: {[]string{leaf, twin, intermediate, stranger, root}, false},
		cassim.ChainOtherBlocks: {[]string{parameters, leaf, intermediate, parameters}, false},
		cassim.ChainDuplicates:  {[]string{leaf, leaf, intermediate, intermediate}, false},
		cassim.ChainWithoutLeaf: {[]string{intermediate, root}, false},
		cassim.ChainSHA1Root:    {[]string{leaf, intermediate, root}, false},
		cassim.ChainGarbage:     {[]string{leaf, "garbage", intermediate}, false},
	}
	w := start(t, cassim.Options{})
	id := w.order("example.com")
	w.ForceState(id, cassim.StateCertificate)
	usual, _ := blocks(w.describe(id).Certificate)
	for form, test := range tests {
		w.OrderChain(id, form)
		text := w.describe(id).Certificate
		names, rest := blocks(text)
		if !slices.Equal(names, test.blocks) || (rest != "") != test.rest {
			t.Errorf("%s: %q and %q", form, names, rest)
		}
		if test.rest && !strings.Contains(rest, "-----BEGIN CERTIFICATE-----\n") {
			t.Errorf("%s: the part is no part of a certificate: %q", form, rest)
		}
	}
	w.OrderChain(id, cassim.Default)
	if back, _ := blocks(w.describe(id).Certificate); !slices.Equal(back, usual) {
		t.Errorf("the usual chain is %v, not %v", back, usual)
	}
}

func TestCrossSignedTwinsBothVerifyTheLeaf(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.order("example.com")
	w.ForceState(id, cassim.StateCertificate)
	w.OrderChain(id, cassim.ChainCrossSigned)
	certs := chain(t, w.describe(id).Certificate)
	for i, pair := range [][2]int{{0, 1}, {0, 2}, {1, 3}, {2, 4}} {
		if err := certs[pair[0]].CheckSignatureFrom(certs[pair[1]]); err != nil {
			t.Errorf("pair %d: %v", i, err)
		}
	}
}
