// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	pkiLifetime = 365 * 24 * time.Hour
	// pkiMargin is how much of that must be left for the PKI to be used again.
	pkiMargin = 30 * 24 * time.Hour

	admin            = "admin"
	frontProxyClient = "front-proxy-client"
	serviceAccount   = "service-account"
)

// pki is a folder of keys and certificates: NAME.key and NAME.crt in PEM.
type pki string

func (p pki) key(name string) string         { return filepath.Join(string(p), name+".key") }
func (p pki) certificate(name string) string { return filepath.Join(string(p), name+".crt") }
func (p pki) publicKey(name string) string   { return filepath.Join(string(p), name+".pub") }

// ensure makes all keys and certificates of a cluster, unless there are some that hold for a while. They are
// replaced together: none is of use with those of another life.
func (p pki) ensure(now time.Time) error {
	if p.holds(now.Add(pkiMargin)) {
		return nil
	}
	if err := os.RemoveAll(string(p)); err != nil {
		return err
	}
	// Made beside its place, so that it is there in full or not at all.
	unfinished := p + ".unfinished"
	if err := os.RemoveAll(string(unfinished)); err != nil {
		return err
	}
	if err := os.MkdirAll(string(unfinished), 0o700); err != nil {
		return err
	}
	if err := unfinished.generate(now); err != nil {
		return err
	}
	return os.Rename(string(unfinished), string(p))
}

func (p pki) holds(then time.Time) bool {
	pair, err := tls.LoadX509KeyPair(p.certificate(admin), p.key(admin))
	return err == nil && then.Before(pair.Leaf.NotAfter)
}

func (p pki) generate(now time.Time) error {
	client, server := x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	loopback := net.IPv4(127, 0, 0, 1)

	ca, err := p.authority("ca", now)
	if err != nil {
		return err
	}
	// The API server believes who signs with this one whatever user they name, hence an authority of its own.
	frontProxyCA, err := p.authority("front-proxy-ca", now)
	if err != nil {
		return err
	}
	leaves := []struct {
		signer   *authority
		name     string
		template x509.Certificate
	}{
		{ca, apiServer, x509.Certificate{
			Subject: pkix.Name{CommonName: apiServer}, ExtKeyUsage: []x509.ExtKeyUsage{server},
			IPAddresses: []net.IP{loopback, net.ParseIP(serviceIP)},
			DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
				"kubernetes.default.svc.cluster.local"},
		}},
		{ca, controllerManager, x509.Certificate{
			Subject:     pkix.Name{CommonName: "system:" + controllerManager},
			ExtKeyUsage: []x509.ExtKeyUsage{client, server},
			IPAddresses: []net.IP{loopback}, DNSNames: []string{"localhost"},
		}},
		{ca, admin, x509.Certificate{
			Subject:     pkix.Name{CommonName: admin, Organization: []string{"system:masters"}},
			ExtKeyUsage: []x509.ExtKeyUsage{client},
		}},
		{frontProxyCA, frontProxyClient, x509.Certificate{
			Subject: pkix.Name{CommonName: frontProxyClient}, ExtKeyUsage: []x509.ExtKeyUsage{client},
		}},
	}
	for _, leaf := range leaves {
		if err := p.issue(leaf.signer, leaf.name, leaf.template, now); err != nil {
			return err
		}
	}
	return p.serviceAccountKey()
}

type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (p pki) authority(name string, now time.Time) (*authority, error) {
	key, err := p.newKey(name)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localkube " + name}, SerialNumber: big.NewInt(1),
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(pkiLifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := p.sign(name, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

func (p pki) issue(signer *authority, name string, template x509.Certificate, now time.Time) error {
	key, err := p.newKey(name)
	if err != nil {
		return err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return err
	}
	template.NotBefore, template.NotAfter = now.Add(-time.Minute), now.Add(pkiLifetime)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	_, err = p.sign(name, &template, signer.certificate, key.Public(), signer.key)
	return err
}

func (p pki) sign(name string, template, parent *x509.Certificate, public crypto.PublicKey,
	signer crypto.Signer) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return der, writePEM(p.certificate(name), "CERTIFICATE", der)
}

func (p pki) newKey(name string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(p.key(name), "EC PRIVATE KEY", der)
}

// serviceAccountKey makes the pair that signs and verifies the tokens of ServiceAccounts.
func (p pki) serviceAccountKey() error {
	key, err := p.newKey(serviceAccount)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(p.publicKey(serviceAccount), "PUBLIC KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
