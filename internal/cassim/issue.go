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

// validity is that of public certificates since 2026-03-15 (docs/design/cas.md §5.5).
const validity = 200 * 24 * time.Hour

// certificate is what an order came to.
type certificate struct {
	id                  string // in the store of CAS
	leaf                []byte // DER; nil until it is issued
	names               []string
	issuedAt            time.Time
	notBefore, notAfter time.Time
}

// issue gives an order its certificate. at is when the CA did it, by the clock of the simulation.
func (s *Server) issue(o *order, at time.Time) {
	o.cert = s.certify(o.csr, o.domain, o.certificateNames(s.knobs.ExtraNames == On), &o.steering, at)
	if p := o.account.packages[o.product]; p != nil {
		p.issued++
	}
}

// certify signs a leaf for the key of the CSR, unless a test wants something else.
func (s *Server) certify(csr *x509.CertificateRequest, cn string, names []string, steered *steering,
	at time.Time) certificate {
	notBefore := at.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: cn},
		DNSNames:              names,
		NotBefore:             notBefore,
		NotAfter:              notBefore.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if _, isRSA := csr.PublicKey.(*rsa.PublicKey); isRSA {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	if !steered.notBefore.IsZero() {
		template.NotBefore, template.NotAfter = steered.notBefore.UTC(), steered.notAfter.UTC()
	}
	key := csr.PublicKey
	if steered.wrongKey {
		key = newKey().Public()
	}
	leaf := mustSign(template, s.authority.intermediate, key, s.authority.signer)
	s.lastID++
	return certificate{
		id:        strconv.FormatInt(s.lastID%10_000_000, 10),
		leaf:      leaf.Raw,
		names:     leaf.DNSNames,
		issuedAt:  at,
		notBefore: leaf.NotBefore,
		notAfter:  leaf.NotAfter,
	}
}

// chainOf is the Certificate of an issued order.
func (s *Server) chainOf(o *order) string {
	return s.authority.chain(o.cert.leaf, cmp.Or(o.steering.chain, s.knobs.Chain))
}

// chain is a leaf with its issuers, in the form that is asked for.
func (a *authority) chain(leaf []byte, form ChainForm) string {
	intermediate, root := a.intermediate.Raw, a.root.Raw
	if odd := oddChains[form]; odd != nil {
		return odd(a, leaf)
	}
	switch form {
	case ChainLeafOnly:
		return toPEM(leaf)
	case ChainWithRoot:
		return toPEM(leaf, intermediate, root)
	case ChainShuffled:
		return toPEM(intermediate, root, leaf)
	case ChainUnrelated:
		return toPEM(leaf, a.foreign.Raw, intermediate)
	default:
		return toPEM(leaf, intermediate)
	}
}
