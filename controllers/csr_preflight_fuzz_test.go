// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// domainName is what a public CA can validate, written down once more so that the code is not its own judge.
var domainName = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// FuzzWhatARequestMayBe gives the pre-flight anything at all. What it lets pass is what it says: one signing request
// and nothing else, signed by its key, for one common name, and for DNS names only.
func FuzzWhatARequestMayBe(f *testing.F) {
	f.Add([]byte(""), false)
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"), false)
	f.Fuzz(func(t *testing.T, request []byte, isCA bool) {
		got, err := preflight(request, isCA)
		if err != nil {
			if err.Error() == "" || got.commonName != "" || got.dnsNames != nil {
				t.Errorf("refused with %q and %+v", err, got)
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
func checkPassed(t *testing.T, request []byte, got signingRequest) {
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
	if !slices.Equal(commonNames, []string{got.commonName}) || len(got.commonName) > 64 {
		t.Errorf("passed as %q, and its common names are %q", got.commonName, commonNames)
	}
	want := lowered(append([]string{got.commonName}, csr.DNSNames...))
	if got.dnsNames[0] != got.commonName || !sameSet(got.dnsNames, want) || len(slices.Compact(slices.Sorted(slices.Values(got.dnsNames)))) != len(got.dnsNames) {
		t.Errorf("passed for %q, and it asks for %q", got.dnsNames, want)
	}
	for _, name := range got.dnsNames {
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

// FuzzWhatNamesAnOrderMayHave builds well-formed requests of any names, so that all of the rules about names are
// reached. CAS binds an order to its common name: what passes besides is what some brands add, and was opted for.
func FuzzWhatNamesAnOrderMayHave(f *testing.F) {
	for _, seed := range [][3]string{
		{"www.example.com", "www.example.com", ""},
		{"example.com", "www.example.com", ""},
		{"www.example.com", "example.com,WWW.example.com", ""},
		{"*.example.com", "example.com", ""},
		{"*.example.com", "www.*.example.com", ""},
		{"www.com", "com", ""},
		{"www.example.com", "", "other.example.com"},
		{"a..b", "-a.b,a-.b,_a.b", ""},
		{"www.xn--fsqu00a.xn--fiqs8s", "xn--fsqu00a.xn--fiqs8s", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], uint8(7), true)
		f.Add(seed[0], seed[1], seed[2], uint8(15), false)
	}
	var once sync.Once
	var sign func(commonName, sans, second string) []byte
	f.Fuzz(func(t *testing.T, commonName, sans, second string, options uint8, isSingle bool) {
		once.Do(func() { sign = signer256(t) })
		request := sign(commonName, sans, second)
		if request == nil {
			return
		}
		asks, err := preflight(request, false)
		if err != nil {
			return
		}
		checkPassed(t, request, asks)
		plan := &v1alpha1.ResourcePlan{ProductCode: "any", DomainType: v1alpha1.DomainTypeWildcard}
		if isSingle {
			plan.DomainType = v1alpha1.DomainTypeSingle
		}
		for i, name := range []v1alpha1.AdditionalName{v1alpha1.AdditionalNameWWW, v1alpha1.AdditionalNameApex, v1alpha1.AdditionalNameWildcardBase} {
			if options&(1<<i) != 0 {
				plan.AdditionalNames = append(plan.AdditionalNames, name)
			}
		}
		if preflightFor(asks, plan) == nil {
			checkFits(t, asks, plan)
		}
	})
}

func checkFits(t *testing.T, asks signingRequest, plan *v1alpha1.ResourcePlan) {
	t.Helper()
	base, isWildcard := strings.CutPrefix(asks.commonName, "*.")
	if isWildcard != (plan.DomainType == v1alpha1.DomainTypeWildcard) {
		t.Errorf("%q passes for a product of %s names", asks.commonName, plan.DomainType)
	}
	apex, isWWW := strings.CutPrefix(asks.commonName, "www.")
	allowed := map[string]bool{asks.commonName: true}
	for _, opted := range plan.AdditionalNames {
		switch {
		case opted == v1alpha1.AdditionalNameWildcardBase && isWildcard:
			allowed[base] = true
		case opted == v1alpha1.AdditionalNameWWW && !isWildcard:
			allowed["www."+asks.commonName] = true
		case opted == v1alpha1.AdditionalNameApex && isWWW:
			allowed[apex] = true
		}
	}
	for _, name := range asks.dnsNames {
		if !allowed[name] {
			t.Errorf("%q passes with %q, and %v was opted for", asks.commonName, name, plan.AdditionalNames)
		}
	}
}

// signer256 signs requests with one key. It returns nil for names that no request can hold.
func signer256(t *testing.T) func(commonName, sans, second string) []byte {
	key := newKey(t)
	return func(commonName, sans, second string) []byte {
		template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: commonName}}
		if sans != "" {
			template.DNSNames = strings.Split(sans, ",")
		}
		if second != "" {
			commonNameOID := asn1.ObjectIdentifier{2, 5, 4, 3}
			template.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: commonNameOID, Value: second}, {Type: commonNameOID, Value: commonName}}
		}
		der, err := x509.CreateCertificateRequest(bytes.NewReader(make([]byte, 1<<12)), template, key)
		if err != nil {
			return nil
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	}
}
