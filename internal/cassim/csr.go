// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// maxCN is the limit of X.520.
const maxCN = 64

// readCSR refuses what CAS cannot make a certificate of (docs/design/cas.md §3.3).
func (s *Server) readCSR(text string) (*x509.CertificateRequest, *refusal) {
	invalid := func(why string) (*x509.CertificateRequest, *refusal) {
		return nil, badRequest("InvalidParameter.Csr", "The specified parameter Csr is not valid: %s.", why)
	}
	csr, problem := parseCSR(text)
	if problem != "" {
		return invalid(problem)
	}
	cn := csr.Subject.CommonName
	switch {
	case cn == "":
		return invalid("it has no common name")
	case len(cn) > maxCN || !isDomain(strings.TrimPrefix(cn, "*.")):
		return invalid("the common name is not a domain of at most 64 characters")
	case !s.acceptsKey(csr):
		return invalid("the key is not supported")
	case s.knobs.CSRSANs == SANsRejected && len(otherNames(csr)) > 0:
		return invalid("it has names other than the common name")
	}
	return csr, nil
}

// parseCSR returns the CSR, or what is wrong with it.
func parseCSR(text string) (csr *x509.CertificateRequest, problem string) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || (block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST") ||
		strings.TrimSpace(string(rest)) != "" {
		return nil, "it is not one PEM block"
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || csr.CheckSignature() != nil {
		return nil, "it cannot be read or its signature is wrong"
	}
	return csr, ""
}

func (s *Server) acceptsKey(csr *x509.CertificateRequest) bool {
	switch key := csr.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return slices.Contains(strings.Split(s.knobs.Curves, ","), key.Curve.Params().Name)
	default:
		return false
	}
}

// otherNames are the names in the CSR that its CN does not say.
func otherNames(csr *x509.CertificateRequest) []string {
	var others []string
	for _, name := range csr.DNSNames {
		if !strings.EqualFold(name, csr.Subject.CommonName) {
			others = append(others, name)
		}
	}
	for _, ip := range csr.IPAddresses {
		others = append(others, ip.String())
	}
	for _, uri := range csr.URIs {
		others = append(others, uri.String())
	}
	return append(others, csr.EmailAddresses...)
}

// isDomain holds for names of at least two labels of letters, digits and inner hyphens. Underscores are no part of a
// domain.
func isDomain(name string) bool {
	labels, ok := dns.IsDomainName(name)
	if !ok || labels < 2 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		isOdd := func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}
		if label == "" || strings.ContainsFunc(label, isOdd) || strings.HasPrefix(label, "-") ||
			strings.HasSuffix(label, "-") {
			return false
		}
	}
	return !strings.HasSuffix(name, ".")
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
