// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"net/url"
	"testing"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"

	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// with is a signing request for www.example.com with something more.
func with(t *testing.T, change func(*x509.CertificateRequest)) []byte {
	t.Helper()
	return certs.Request(t, certs.NewKey(t), "www.example.com", []string{"www.example.com"}, change)
}

// extended adds extensions as cert-manager writes them.
func extended(extensions ...pkix.Extension) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) { r.ExtraExtensions = append(r.ExtraExtensions, extensions...) }
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func otherName(text string) pki.GeneralNames {
	value := must(pki.MarshalUniversalValue(pki.UniversalValue{UTF8String: text}))
	return pki.GeneralNames{DNSNames: []string{"www.example.com"}, OtherNames: []pki.OtherName{{
		TypeID: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3},
		Value:  asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: value},
	}}}
}

// allUsages writes usages as cert-manager does: in the signing request and beside it.
func allUsages(t *testing.T, usages ...cmapi.KeyUsage) *cmapi.CertificateRequest {
	t.Helper()
	var bits x509.KeyUsage
	var extendedUsages []x509.ExtKeyUsage
	for _, usage := range usages {
		if bit, ok := cmutil.KeyUsageType(usage); ok {
			bits |= bit
		}
		if e, ok := cmutil.ExtKeyUsageType(usage); ok {
			extendedUsages = append(extendedUsages, e)
		}
	}
	extensions := []pkix.Extension{must(pki.MarshalKeyUsage(bits))}
	if len(extendedUsages) > 0 {
		extensions = append(extensions, must(pki.MarshalExtKeyUsage(extendedUsages, nil)))
	}
	return gen.Certified(with(t, extended(extensions...)), func(r *cmapi.CertificateRequest) { r.Spec.Usages = usages })
}

func TestWhatNoPublicCAGivesIsRefusedByName(t *testing.T) {
	noDNS := func(values, fields string) string {
		return fmt.Sprintf("CAS issues for DNS names only, and the request is for %s: remove %s from the Certificate",
			values, fields)
	}
	noUsage := func(usages string) string {
		return "public CAs issue no DV certificates for " + usages +
			": leave that out of spec.usages of the Certificate, or use an issuer of another kind"
	}
	const noServer = `the request is for "client auth" without "server auth", and CAS issues certificates of servers: ` +
		`add "server auth" to spec.usages of the Certificate if it is for a server, or use an issuer of another kind`
	sans := func(names pki.GeneralNames) *cmapi.CertificateRequest {
		return gen.Certified(with(t, func(r *x509.CertificateRequest) {
			r.DNSNames, r.ExtraExtensions = nil, []pkix.Extension{must(pki.MarshalSANs(names, true))}
		}))
	}
	isCA := func(r *cmapi.CertificateRequest) { r.Spec.IsCA = true }
	tests := map[string]struct {
		request *cmapi.CertificateRequest
		want    string
	}{
		"a CA": {gen.Certified(with(t, nil), isCA), "CAS issues no CA certificates: remove spec.isCA from the " +
			"Certificate"},
		"a CA, in the signing request as well": {
			gen.Certified(with(t, extended(must(pki.MarshalBasicConstraints(true, nil)),
				must(pki.MarshalKeyUsage(x509.KeyUsageCertSign)))), isCA),
			"CAS issues no CA certificates: remove spec.isCA from the Certificate"},
		"a CA, in the signing request alone": {
			gen.Bare(with(t, extended(must(pki.MarshalBasicConstraints(true, nil))))),
			"CAS issues no CA certificates: make the signing request anew without isCA"},
		"no CA, which is said": {gen.Certified(with(t, extended(must(pki.MarshalBasicConstraints(false, nil))))), ""},
		"names of four kinds": {gen.Certified(with(t, func(r *x509.CertificateRequest) {
			r.IPAddresses, r.EmailAddresses = []net.IP{{192, 0, 2, 1}, net.ParseIP("2001:db8::1")},
				[]string{"root@example.com"}
			r.URIs = []*url.URL{{Scheme: "spiffe", Host: "example.com"}}
		})), noDNS("the IP address 192.0.2.1, the IP address 2001:db8::1, the URI spiffe://example.com, the e-mail "+
			"address root@example.com",
			"spec.ipAddresses, spec.uris, spec.emailAddresses")},
		"an otherName": {sans(otherName("upn@example.com")), noDNS(`the otherName 1.3.6.1.4.1.311.20.2.3 `+
			`"upn@example.com"`, "spec.otherNames")},
		"a directory name": {sans(
			pki.GeneralNames{DirectoryNames: []pkix.RDNSequence{
				{{{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "Foo"}}}}}),
			noDNS("the directory name O=Foo", "the directory names")},
		"a registered ID": {
			sans(pki.GeneralNames{RegisteredIDs: []asn1.ObjectIdentifier{{1, 2, 3}}}),
			noDNS("the registered ID 1.2.3", "the registered IDs")},
		"an otherName by hand": {gen.Bare(sans(otherName("x")).Spec.Request), `CAS issues for DNS names ` +
			`only, and the request is for the otherName 1.3.6.1.4.1.311.20.2.3 "x": make the signing request anew ` +
			`without that`},
		"the default usages": {allUsages(t, cmapi.UsageDigitalSignature, cmapi.UsageKeyEncipherment),
			""},
		"those of a server": {
			allUsages(t, cmapi.UsageDigitalSignature, cmapi.UsageKeyEncipherment, cmapi.UsageServerAuth), ""},
		"a client as well": {allUsages(t, cmapi.UsageServerAuth, cmapi.UsageClientAuth), ""},
		"any":              {allUsages(t, cmapi.UsageAny, cmapi.UsageClientAuth), ""},
		"a client alone": {allUsages(t, cmapi.UsageDigitalSignature, cmapi.UsageClientAuth),
			noServer},
		"code signing": {allUsages(t, cmapi.UsageDigitalSignature, cmapi.UsageCodeSigning),
			noUsage(`"code signing"`)},
		"code signing and a server": {
			allUsages(t, cmapi.UsageServerAuth, cmapi.UsageCodeSigning, cmapi.UsageCertSign),
			noUsage(`"cert sign", "code signing"`)},
		"a client and mail": {allUsages(t, cmapi.UsageClientAuth, cmapi.UsageSMIME),
			noUsage(`"email protection", "s/mime"`) + "; " + noServer},
		"a client, not in the signing request": {
			gen.Certified(with(t, nil), func(r *cmapi.CertificateRequest) {
				r.Spec.Usages = []cmapi.KeyUsage{cmapi.UsageClientAuth}
			}), noServer},
		"a client, in the signing request alone": {gen.Bare(allUsages(t, cmapi.UsageClientAuth).Spec.Request),
			`the request is for "client auth" without "server auth", and CAS issues certificates of servers: ` +
				`make the signing request anew with "server auth" if it is for a server, or use an issuer of ` +
				`another kind`},
		"a usage without a name": {
			gen.Certified(with(t, extended(
				must(pki.MarshalExtKeyUsage(nil, []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 2, 3, 4}}))))),
			noUsage(`"1.3.6.1.5.2.3.4"`)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, against := Preflight(test.request, nil, true)
			compare.Text(t, against.Err(), test.want)
		})
	}
}
