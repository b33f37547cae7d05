// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

const (
	rootName         = "Cassim Root"
	intermediateName = "Cassim DV Intermediate"
)

// authority is a root, which has signed an intermediate, which signs leaves. foreign is another root; it has signed
// crossSigned, which has the name and the key of the intermediate. oldRoot is the first root, self-signed with SHA-1.
type authority struct {
	root, intermediate, foreign, crossSigned, oldRoot *x509.Certificate
	signer                                            crypto.Signer
}

func newAuthority() *authority {
	rootKey, signer, stranger := newKey(), newKey(), newKey()
	root := issueCA(rootName, nil, rootKey.Public(), rootKey)
	foreign := issueCA("Unrelated Root", nil, stranger.Public(), stranger)
	return &authority{
		root:         root,
		intermediate: issueCA(intermediateName, root, signer.Public(), rootKey),
		foreign:      foreign,
		crossSigned:  issueCA(intermediateName, foreign, signer.Public(), stranger),
		oldRoot: issueCA(rootName, nil, rootKey.Public(), rootKey,
			func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }),
		signer: signer,
	}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("cassim: %v", err)) // the machine has no randomness
	}
	return key
}

// Issues the certificate of a CA, which is self-signed if it has no parent. It is valid at any time that a test's clock
// may show.
func issueCA(name string, parent *x509.Certificate, key crypto.PublicKey, signer crypto.Signer,
	modifiers ...func(*x509.Certificate)) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"Cassim"}},
		NotBefore:             time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, modify := range modifiers {
		modify(template)
	}
	if parent == nil {
		parent = template
	}
	return mustSign(template, parent, key, signer)
}

func mustSign(template, parent *x509.Certificate, key crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, signer)
	if err != nil {
		panic(fmt.Sprintf("cassim: %v", err)) // only impossible templates fail
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(fmt.Sprintf("cassim: %v", err))
	}
	return cert
}

func newSerial() *big.Int {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(fmt.Sprintf("cassim: %v", err))
	}
	return serial.Add(serial, big.NewInt(1))
}

func toPEM(ders ...[]byte) string {
	var text []byte
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return string(text)
}

// RootPEM is the root certificate of the authority.
func (s *Server) RootPEM() []byte { return []byte(toPEM(s.authority.root.Raw)) }
