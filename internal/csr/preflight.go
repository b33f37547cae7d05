// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package csr reads certificate signing requests, and says before anything is spent what no issuer could serve, in
// words for whoever wrote the Certificate behind a request. It needs no API server and no CAS, so that a table of cases
// is tested in milliseconds.
package csr

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Asks is what a certificate signing request asks for.
type Asks struct {
	CommonName string
	DNSNames   []string // the common name first, lower case, each once
	Key        v1alpha1.KeyAlgorithm
	// IsBare says that no Certificate stands behind it.
	IsBare bool
	// IsApart says that it has dnsNames, and the common name is none of them: no person asks like that, but an Ingress
	// does.
	IsApart bool
}

// Preflight says, before anything is spent, what a request asks for, and what speaks against it with any issuer. The
// reasons are for the person who wrote the Certificate: they say what to change there. If there are any, Asks is what
// the request would ask for after these changes, so that an issuer can be asked about the rest. Where no common name is
// needed, the first name that can be one stands in for it.
func Preflight(request *cmapi.CertificateRequest, by Sells, needsCommonName bool) (Asks, Reasons) {
	asks := Asks{IsBare: IsBare(request)}
	csr, err := readRequest(request.Spec.Request)
	if err != nil {
		return asks, Reasons{err.Error()}
	}
	against := never(request, csr)
	asks.Key = KeyAlgorithmOf(csr)
	name, sans := strings.ToLower(csr.Subject.CommonName), Lowered(csr.DNSNames)
	asks.IsApart = name != "" && len(sans) > 0 && !slices.Contains(sans, name)
	against.AddAll(asks.takeCommonName(name, sans, by, needsCommonName))
	if n := commonNames(csr); n > 1 {
		against.Add("the certificate signing request has %d common names, and which of them CAS would take is "+
			"not known: %s", n,
			Advice(asks.IsBare, "leave one in spec.literalSubject of the Certificate", "with one"))
	}
	against.AddAll(asks.takeNames(name, sans))
	return asks, against
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
		return nil, fmt.Errorf("there is something else beside the certificate signing request: give its PEM " +
			"block alone")
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
		if name.Type.Equal(oidCommonName) {
			n++
		}
	}
	return n
}

// takeCommonName takes the common name, or the one that it suggests in its place.
func (req *Asks) takeCommonName(name string, sans []string, by Sells, isNeeded bool) (against Reasons) {
	req.CommonName = name
	if name == "" {
		req.CommonName = cmp.Or(Suggest(by, sans...), Suggest(nil, sans...))
		if isNeeded || req.CommonName == "" {
			against.Add("CAS takes the domain from the common name, and the request has none: %s",
				req.noCommonName(sans, by))
		}
	} else if fault := commonNameFault(name); fault != "" {
		req.CommonName = cmp.Or(Suggest(nil, mended(name)), Suggest(by, sans...), Suggest(nil, sans...))
		against.Add("the common name %q %s: %s", shown(name), fault,
			req.otherCommonName(name, slices.Contains(sans, name), by))
	}
	if req.CommonName != "" {
		req.DNSNames = []string{req.CommonName}
	}
	return against
}

func (req *Asks) noCommonName(sans []string, by Sells) string {
	if name := req.CommonName; name != "" {
		return Advice(req.IsBare,
			fmt.Sprintf("set spec.commonName of the Certificate to %q, or the annotation "+
				"cert-manager.io/common-name of the Ingress or Gateway if it has a single Secret", name),
			fmt.Sprintf("with the common name %q", name))
	}
	isLong := func(name string) bool { return len(name) > maxCommonName && nameFault(name) == "" }
	if at := slices.IndexFunc(sans, isLong); at >= 0 {
		return fmt.Sprintf("%q is too long for CAS, it has %d characters and a common name takes at most %d: %s",
			sans[at], len(sans[at]), maxCommonName, shorter(sans[at], by))
	}
	return Advice(req.IsBare, "set spec.commonName of the Certificate to a DNS name", "with a DNS name as common name")
}

// Returns what to do about a bad common name, which may be among the dnsNames as well.
func (req *Asks) otherCommonName(bad string, isListed bool, by Sells) string {
	fields, without := "spec.commonName", [2]string{}
	if isListed {
		fields, without = "spec.commonName and spec.dnsNames",
			[2]string{", and remove the other from spec.dnsNames", " and without the other"}
	}
	switch better := req.CommonName; {
	case better != "" && better == mended(bad):
		return Advice(req.IsBare, fmt.Sprintf("write %q in %s of the Certificate", better, fields),
			fmt.Sprintf("with %q", better))
	case better != "":
		return Advice(req.IsBare, fmt.Sprintf("set spec.commonName of the Certificate to %q%s", better, without[0]),
			fmt.Sprintf("with the common name %q%s", better, without[1]))
	case nameFault(bad) == "":
		return shorter(bad, by)
	default:
		return Advice(req.IsBare, fmt.Sprintf("write a DNS name such as %q in %s of the Certificate", exampleName,
			fields), fmt.Sprintf("with a DNS name such as %q", exampleName))
	}
}

// exampleName is how a name can look where none of the request's can be suggested.
const exampleName = "www.example.com"

// takeNames takes the names beside the common name, or what it suggests in their place. The common name has been judged
// before.
func (req *Asks) takeNames(commonName string, sans []string) (against Reasons) {
	for _, san := range sans {
		if san == commonName && san != "" {
			continue
		}
		if fault := nameFault(san); fault != "" {
			better := mended(san)
			if better == "" || slices.Contains(sans, better) {
				against.Add("the name %q %s: %s", shown(san), fault,
					Advice(req.IsBare, "remove it from "+
						"spec.dnsNames of the Certificate", "without it"))
				continue
			}
			against.Add("the name %q %s: %s", shown(san), fault,
				Advice(req.IsBare, fmt.Sprintf("write %q in spec.dnsNames of the Certificate", better),
					fmt.Sprintf("with %q", better)))
			san = better
		}
		if !slices.Contains(req.DNSNames, san) {
			req.DNSNames = append(req.DNSNames, san)
		}
	}
	return against
}

// KeyAlgorithmOf returns the algorithm of the key and its size, or, for a key that is neither RSA nor ECDSA, what the
// standard library calls its algorithm.
func KeyAlgorithmOf(csr *x509.CertificateRequest) v1alpha1.KeyAlgorithm {
	switch key := csr.PublicKey.(type) {
	case *rsa.PublicKey:
		return v1alpha1.KeyAlgorithm(fmt.Sprintf("RSA%d", key.N.BitLen()))
	case *ecdsa.PublicKey:
		return v1alpha1.KeyAlgorithm(fmt.Sprintf("ECDSAP%d", key.Curve.Params().BitSize))
	default:
		return v1alpha1.KeyAlgorithm(csr.PublicKeyAlgorithm.String())
	}
}
