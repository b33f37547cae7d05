// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// domainName is what a public CA can validate, written down once more so that the code is not its own judge.
var domainName = regexp.MustCompile(
	`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// FuzzWhatARequestMayBe gives the pre-flight anything at all. What it lets pass is what it says: one signing request
// and nothing else, signed by its key, for one common name, and for DNS names only.
func FuzzWhatARequestMayBe(f *testing.F) {
	f.Add([]byte(""), false)
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"), false)
	f.Fuzz(func(t *testing.T, request []byte, isCA bool) {
		got, against := Preflight(
			gen.Certified(request, func(r *cmapi.CertificateRequest) { r.Spec.IsCA = isCA }), nil, true)
		if against != nil {
			if suggested := got.CommonName; suggested != "" &&
				(!domainName.MatchString(suggested) || len(suggested) > 64) || against.Err().Error() == "" {
				t.Errorf("refused with %q, and suggests %q", against, suggested)
			}
			return
		}
		if isCA {
			t.Error("a CA is let pass")
		}
		checkPassed(t, request, got)
	})
}

// checkPassed holds what passed the pre-flight against the bytes that CAS would get.
func checkPassed(t *testing.T, request []byte, got Asks) {
	t.Helper()
	block, rest := pem.Decode(request)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 || bytes.Count(request, []byte("-----BEGIN ")) != 1 {
		t.Fatalf("CAS gets more than a signing request, or none: %q", request)
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || csr.CheckSignature() != nil {
		t.Fatalf("the request cannot be read or is not signed: %v", err)
	}
	var commonNames []string
	for _, name := range csr.Subject.Names {
		if name.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
			text, _ := name.Value.(string)
			commonNames = append(commonNames, strings.ToLower(text))
		}
	}
	if !slices.Equal(commonNames, []string{got.CommonName}) || len(got.CommonName) > 64 {
		t.Errorf("passed as %q, and its common names are %q", got.CommonName, commonNames)
	}
	want := Lowered(append([]string{got.CommonName}, csr.DNSNames...))
	if got.DNSNames[0] != got.CommonName || !sameSet(got.DNSNames, want) ||
		len(slices.Compact(slices.Sorted(slices.Values(got.DNSNames)))) != len(got.DNSNames) {
		t.Errorf("passed for %q, and it asks for %q", got.DNSNames, want)
	}
	for _, name := range got.DNSNames {
		if !domainName.MatchString(name) || len(name) > 253 {
			t.Errorf("passed with the name %q", name)
		}
	}
	if len(csr.IPAddresses)+len(csr.URIs)+len(csr.EmailAddresses) > 0 {
		t.Error("passed with names that are no DNS names")
	}
}

func sameSet(a, b []string) bool {
	set := func(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
	return slices.Equal(set(a), set(b))
}

// FuzzWhatNamesARequestMayHave builds well-formed requests of any names, so that all of the rules about names are
// reached.
func FuzzWhatNamesARequestMayHave(f *testing.F) {
	for _, seed := range certs.AnyNames {
		f.Add(seed.CommonName, seed.SANs, seed.Second)
	}
	var once sync.Once
	var sign func(commonName, sans, second string) []byte
	f.Fuzz(func(t *testing.T, commonName, sans, second string) {
		once.Do(func() { sign = certs.AnySigner(t) })
		request := sign(commonName, sans, second)
		if request == nil {
			return
		}
		asks, against := Preflight(gen.Certified(request), nil, true)
		if against != nil {
			return
		}
		checkPassed(t, request, asks)
	})
}
