// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"strconv"
	"time"
)

// validity is that of public certificates since 2026-03-15 (CAS contract §4).
const validity = 200 * 24 * time.Hour

// certificate is what an order came to.
type certificate struct {
	id                  string // in the store of CAS
	leaf                []byte // DER; nil until it is issued
	names               []string
	issuedAt            time.Time
	notBefore, notAfter time.Time
}

// issue signs the leaf. at is when the CA did it, by the clock of the simulation.
func (s *Server) issue(o *order, at time.Time) {
	notBefore := at.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: o.domain},
		DNSNames:              o.certificateNames(s.knobs.ExtraNames == On),
		NotBefore:             notBefore,
		NotAfter:              notBefore.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if _, isRSA := o.csr.PublicKey.(*rsa.PublicKey); isRSA {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	if !o.steering.notBefore.IsZero() {
		template.NotBefore, template.NotAfter = o.steering.notBefore.UTC(), o.steering.notAfter.UTC()
	}
	key := o.csr.PublicKey
	if o.steering.wrongKey {
		key = newKey().Public()
	}
	leaf := mustSign(template, s.authority.intermediate, key, s.authority.signer)
	s.lastID++
	o.cert = certificate{
		id:        strconv.FormatInt(s.lastID%10_000_000, 10),
		leaf:      leaf.Raw,
		names:     leaf.DNSNames,
		issuedAt:  at,
		notBefore: leaf.NotBefore,
		notAfter:  leaf.NotAfter,
	}
	if p := o.account.packages[o.product]; p != nil {
		p.issued++
	}
}

// chainOf is the Certificate of an issued order.
func (s *Server) chainOf(o *order) string {
	leaf, intermediate, root := o.cert.leaf, s.authority.intermediate.Raw, s.authority.root.Raw
	if odd := oddChains[o.steering.chain]; odd != nil {
		return odd(s.authority, leaf)
	}
	switch cmp.Or(o.steering.chain, s.knobs.Chain) {
	case ChainLeafOnly:
		return toPEM(leaf)
	case ChainWithRoot:
		return toPEM(leaf, intermediate, root)
	case ChainShuffled:
		return toPEM(intermediate, root, leaf)
	case ChainUnrelated:
		return toPEM(leaf, s.authority.foreign.Raw, intermediate)
	default:
		return toPEM(leaf, intermediate)
	}
}
