// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode"

	"github.com/cert-manager/cert-manager/pkg/util/pki"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// maxCommonName is the longest common name that a certificate can have (X.520), and CAS takes the domain from there.
const maxCommonName = 64

// defaultKeys are what CAS is known to take (CAS contract §1).
var defaultKeys = []v1alpha1.KeyAlgorithm{
	v1alpha1.KeyAlgorithmRSA2048, v1alpha1.KeyAlgorithmRSA3072, v1alpha1.KeyAlgorithmRSA4096, v1alpha1.KeyAlgorithmECDSAP256,
}

// signingRequest is what a certificate signing request asks for.
type signingRequest struct {
	commonName string
	dnsNames   []string // the common name first, lower case, each once
	key        v1alpha1.KeyAlgorithm
}

// preflight refuses, before anything is spent, what CAS could never serve with any issuer. The refusal is for the
// person who wrote the Certificate: it says what to change there.
func preflight(request []byte, isCA bool) (signingRequest, error) {
	csr, err := readRequest(request)
	if err != nil {
		return signingRequest{}, err
	}
	if isCA {
		return signingRequest{}, fmt.Errorf("CAS issues no CA certificates: remove isCA")
	}
	if len(csr.IPAddresses)+len(csr.URIs)+len(csr.EmailAddresses) > 0 {
		return signingRequest{}, fmt.Errorf("CAS issues for DNS names only: remove ipAddresses, uris and emailAddresses")
	}
	name := strings.ToLower(csr.Subject.CommonName)
	if err := checkCommonName(name, csr.DNSNames); err != nil {
		return signingRequest{}, err
	}
	if n := commonNames(csr); n > 1 {
		return signingRequest{}, fmt.Errorf("the certificate signing request has %d common names, and which of them CAS would take is not known: make one with one", n)
	}
	names := []string{name}
	for _, san := range lowered(csr.DNSNames) {
		if !isDNSName(strings.TrimPrefix(san, "*.")) {
			return signingRequest{}, fmt.Errorf("the name %q is not a DNS name that a public CA can validate: remove it from spec.dnsNames", san)
		}
		if !slices.Contains(names, san) {
			names = append(names, san)
		}
	}
	return signingRequest{commonName: name, dnsNames: names, key: keyAlgorithm(csr)}, nil
}

// readRequest takes one request and nothing else: CAS gets the bytes as they are, and a second block may be another
// request, or a private key.
func readRequest(request []byte) (*x509.CertificateRequest, error) {
	csr, err := pki.DecodeX509CertificateRequestBytes(request)
	if err != nil {
		return nil, fmt.Errorf("the certificate signing request cannot be read: %w", err)
	}
	begin, trimmed := []byte("-----BEGIN "), bytes.TrimSpace(request)
	_, rest := pem.Decode(trimmed)
	if len(rest) > 0 || !bytes.HasPrefix(trimmed, begin) || bytes.Count(trimmed, begin) > 1 {
		return nil, fmt.Errorf("there is something else beside the certificate signing request: give its PEM block alone")
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the certificate signing request is not signed by its key: %w", err)
	}
	return csr, nil
}

// commonNames counts them: of several, the library shows the last, and CAS may take another.
func commonNames(csr *x509.CertificateRequest) int {
	n := 0
	for _, name := range csr.Subject.Names {
		if name.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
			n++
		}
	}
	return n
}

func checkCommonName(name string, sans []string) error {
	host := strings.TrimPrefix(name, "*.")
	switch {
	case name == "":
		suggestion := ""
		if len(sans) > 0 {
			suggestion = fmt.Sprintf(" to %q", sans[0])
		}
		return fmt.Errorf("CAS takes the domain from the common name, and the request has none: "+
			"set spec.commonName of the Certificate%[1]s, or the annotation cert-manager.io/common-name of the Ingress or Gateway%[1]s", suggestion)
	case strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }):
		return fmt.Errorf("the common name %q is not ASCII: use punycode (xn--...)", name)
	case len(name) > maxCommonName:
		return fmt.Errorf("the common name %q has %d characters, and a certificate takes at most %d: choose a shorter name", name, len(name), maxCommonName)
	case net.ParseIP(host) != nil || !isDNSName(host):
		return fmt.Errorf("the common name %q is not a DNS name that a public CA can validate: set spec.commonName to one, such as www.example.com", name)
	}
	return nil
}

// isDNSName takes names of at least two labels of letters, digits and inner hyphens.
func isDNSName(name string) bool {
	labels := strings.Split(name, ".")
	return len(labels) > 1 && !slices.ContainsFunc(labels, func(label string) bool {
		return label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != ""
	})
}

// keyAlgorithm names the key, or returns "" for one that has no name.
func keyAlgorithm(csr *x509.CertificateRequest) v1alpha1.KeyAlgorithm {
	switch key := csr.PublicKey.(type) {
	case *rsa.PublicKey:
		return v1alpha1.KeyAlgorithm(fmt.Sprintf("RSA%d", key.N.BitLen()))
	case *ecdsa.PublicKey:
		return v1alpha1.KeyAlgorithm(fmt.Sprintf("ECDSAP%d", key.Curve.Params().BitSize))
	default:
		return v1alpha1.KeyAlgorithm(csr.PublicKeyAlgorithm.String())
	}
}

// preflightFor refuses what the issuer's product does not serve.
func preflightFor(req signingRequest, plan *v1alpha1.ResourcePlan) error {
	allowed := plan.KeyAlgorithms
	if len(allowed) == 0 {
		allowed = defaultKeys
	}
	if !slices.Contains(allowed, req.key) {
		return fmt.Errorf("the key %s is not among those that the issuer takes (%s): set spec.privateKey of the Certificate", req.key, join(allowed))
	}
	isWildcard := strings.HasPrefix(req.commonName, "*.")
	switch kind := domainTypeOf(plan); {
	case isWildcard && kind == v1alpha1.DomainTypeSingle:
		return fmt.Errorf("the product %q is for single names, and %q is a wildcard: use an issuer with a wildcard product", plan.ProductCode, req.commonName)
	case !isWildcard && kind == v1alpha1.DomainTypeWildcard:
		return fmt.Errorf("the product %q is for wildcard names, and %q is none: use an issuer with a product for single names", plan.ProductCode, req.commonName)
	}
	for _, name := range req.dnsNames[1:] {
		optIn := additional(name, req.commonName)
		switch {
		case optIn == "":
			return fmt.Errorf("CAS binds one name to an order, %q, and %q is another one: remove it from spec.dnsNames, or use a Certificate of its own for it", req.commonName, name)
		case !slices.Contains(plan.AdditionalNames, optIn):
			return fmt.Errorf("CAS binds one name to an order, %q; some brands add %q by themselves: remove it from spec.dnsNames, or add %s to spec.source.resourcePlan.additionalNames of the issuer", req.commonName, name, optIn)
		}
	}
	return nil
}

// additional says which opt-in covers a name beside the common name, or "".
func additional(name, commonName string) v1alpha1.AdditionalName {
	switch {
	case name == "www."+commonName:
		return v1alpha1.AdditionalNameWWW
	case "www."+name == commonName:
		return v1alpha1.AdditionalNameApex
	case "*."+name == commonName:
		return v1alpha1.AdditionalNameWildcardBase
	default:
		return ""
	}
}

func join(algorithms []v1alpha1.KeyAlgorithm) string {
	names := make([]string, 0, len(algorithms))
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}
