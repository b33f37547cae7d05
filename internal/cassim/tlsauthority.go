// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"sync"
)

// tlsAuthority issues the certificates of the endpoints. It is another one than that of the customers' certificates:
// who trusts one of them need not trust the other.
type tlsAuthority struct {
	root   *x509.Certificate
	signer *ecdsa.PrivateKey

	mu     sync.Mutex
	byHost map[string]*tls.Certificate
}

func newTLSAuthority() *tlsAuthority {
	key := newKey()
	return &tlsAuthority{root: issueCA("Cassim TLS Root", nil, key.Public(), key), signer: key,
		byHost: map[string]*tls.Certificate{}}
}

// TLSRootPEM is the root of the certificates that ProxyURL shows.
func (s *Server) TLSRootPEM() []byte { return []byte(toPEM(s.tls.root.Raw)) }

// configFor shows a certificate for the host that was asked for, whatever the client calls it in its hello.
func (a *tlsAuthority) configFor(host string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.certificate(host), nil
		},
	}
}

func (a *tlsAuthority) certificate(host string) *tls.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byHost[host] == nil {
		key := newKey()
		template := &x509.Certificate{
			SerialNumber: newSerial(), Subject: pkix.Name{CommonName: host}, NotBefore: a.root.NotBefore,
			NotAfter: a.root.NotAfter,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			BasicConstraintsValid: true,
		}
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = []net.IP{ip}
		} else {
			template.DNSNames = []string{host}
		}
		leaf := mustSign(template, a.root, key.Public(), a.signer)
		a.byHost[host] = &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	}
	return a.byHost[host]
}
