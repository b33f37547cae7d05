// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

func TestARequestIsTakenForItsNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	tests := map[string]struct {
		commonName string
		sans       []string
		want       []string // the common name first
	}{
		"no SANs":                    {"www.example.com", nil, []string{"www.example.com"}},
		"the name as a SAN":          {"www.example.com", []string{"www.example.com"}, []string{"www.example.com"}},
		"the name twice":             {"www.example.com", []string{"www.example.com", "www.example.com"}, []string{"www.example.com"}},
		"upper case":                 {"WWW.Example.COM", []string{"www.EXAMPLE.com"}, []string{"www.example.com"}},
		"the name is not the first":  {"b.example.com", []string{"a.example.com", "B.example.com", "A.example.com"}, []string{"b.example.com", "a.example.com"}},
		"a wildcard":                 {"*.example.com", []string{"*.example.com", "example.com"}, []string{"*.example.com", "example.com"}},
		"punycode":                   {"www.xn--fsqu00a.xn--fiqs8s", nil, []string{"www.xn--fsqu00a.xn--fiqs8s"}},
		"the registrable name":       {"example.com", nil, []string{"example.com"}},
		"digits and hyphens":         {"1-a--b.0.example.com", nil, []string{"1-a--b.0.example.com"}},
		"64 characters":              {long[:60] + ".com", nil, []string{long[:60] + ".com"}},
		"another name is for others": {"www.example.com", []string{"www.example.net"}, []string{"www.example.com", "www.example.net"}},
	}
	key := newKey(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := preflight(request(t, key, test.commonName, test.sans, nil), false)
			if err != nil {
				t.Fatal(err)
			}
			want := signingRequest{commonName: test.want[0], dnsNames: test.want, key: v1alpha1.KeyAlgorithmECDSAP256}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(signingRequest{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestARequestThatCASCouldNeverServeSaysWhatToChange(t *testing.T) {
	const none = "CAS takes the domain from the common name, and the request has none: set spec.commonName of the Certificate"
	const noDNS = "CAS issues for DNS names only: remove ipAddresses, uris and emailAddresses"
	notAName := func(name string) string {
		return `the common name "` + name + `" is not a DNS name that a public CA can validate: set spec.commonName to one, such as www.example.com`
	}
	cn := func(name string, sans ...string) []byte { return request(t, newKey(t), name, sans, nil) }
	with := func(change func(*x509.CertificateRequest)) []byte {
		return request(t, newKey(t), "www.example.com", []string{"www.example.com"}, change)
	}
	tests := map[string]struct {
		request []byte
		isCA    bool
		want    string
	}{
		"nothing":      {nil, false, "the certificate signing request cannot be read: error decoding certificate request PEM block: no PEM data was found in given input"},
		"no PEM":       {[]byte("hello"), false, "the certificate signing request cannot be read: error decoding certificate request PEM block: no PEM data was found in given input"},
		"another PEM":  {bundle(newRoot(t, "root").cert), false, ""},
		"forged":       {forged(t), false, "the certificate signing request is not signed by its key: x509: ECDSA verification failure"},
		"for a CA":     {cn("www.example.com"), true, "CAS issues no CA certificates: remove isCA"},
		"an IP":        {with(func(r *x509.CertificateRequest) { r.IPAddresses = []net.IP{{192, 0, 2, 1}} }), false, noDNS},
		"an address":   {with(func(r *x509.CertificateRequest) { r.EmailAddresses = []string{"root@example.com"} }), false, noDNS},
		"a URI":        {with(func(r *x509.CertificateRequest) { r.URIs = []*url.URL{{Scheme: "spiffe", Host: "example.com"}} }), false, noDNS},
		"no name":      {cn(""), false, none + ", or the annotation cert-manager.io/common-name of the Ingress or Gateway"},
		"only a SAN":   {cn("", "www.example.com", "b.example.com"), false, none + ` to "www.example.com", or the annotation cert-manager.io/common-name of the Ingress or Gateway to "www.example.com"`},
		"Unicode":      {cn("例子.中国"), false, `the common name "例子.中国" is not ASCII: use punycode (xn--...)`},
		"65 letters":   {cn(strings.Repeat("a", 61) + ".com"), false, `the common name "` + strings.Repeat("a", 61) + `.com" has 65 characters, and a certificate takes at most 64: choose a shorter name`},
		"a long label": {cn(strings.Repeat("a", 64)), false, notAName(strings.Repeat("a", 64))},
	}
	for _, name := range []string{
		"192.0.2.1", "*.192.0.2.1", "2001:db8::1", "localhost", "*", "*.com", "www.example.com.", ".example.com", "www..example.com", "-www.example.com",
		"www-.example.com", "*.*.example.com", "w*.example.com", "www.*.example.com", "_dnsauth.example.com", "www.exa mple.com", " www.example.com",
		"www.example.com:443", "https://www.example.com", "www.example.com,b.example.com", "www.example.com/path", "me@example.com", "www.example.com\x00",
	} {
		tests["the name "+name] = struct {
			request []byte
			isCA    bool
			want    string
		}{cn(name), false, notAName(strings.ReplaceAll(name, "\x00", `\x00`))}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := preflight(test.request, test.isCA)
			if test.want == "" {
				if err == nil || !strings.HasPrefix(err.Error(), "the certificate signing request cannot be read: ") {
					t.Errorf("got %v", err)
				}
			} else {
				wantText(t, err, test.want)
			}
			if got.commonName != "" || got.dnsNames != nil || got.key != "" {
				t.Errorf("got %+v as well", got)
			}
		})
	}
}

// forged has the name of one request and the signature of another.
func forged(t *testing.T) []byte {
	t.Helper()
	block, _ := pem.Decode(request(t, newKey(t), "www.example.com", nil, nil))
	at := slices.Index(block.Bytes, 'x')
	for ; !strings.HasPrefix(string(block.Bytes[at:]), "xample"); at++ {
	}
	block.Bytes[at] = 'y'
	return pem.EncodeToMemory(block)
}

func TestKeysAreNamedByKindAndSize(t *testing.T) {
	curve := func(c elliptic.Curve) crypto.Signer {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	modulus := func(bits int) crypto.Signer {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[v1alpha1.KeyAlgorithm]struct {
		key      crypto.Signer
		byItself bool // taken by an issuer that says nothing
	}{
		v1alpha1.KeyAlgorithmRSA2048:   {modulus(2048), true},
		v1alpha1.KeyAlgorithmRSA3072:   {modulus(3072), true},
		v1alpha1.KeyAlgorithmRSA4096:   {modulus(4096), true},
		v1alpha1.KeyAlgorithmECDSAP256: {curve(elliptic.P256()), true},
		v1alpha1.KeyAlgorithmECDSAP384: {curve(elliptic.P384()), false},
		"ECDSAP521":                    {curve(elliptic.P521()), false},
		"RSA1024":                      {modulus(1024), false},
		"Ed25519":                      {edwards, false},
	}
	for name, test := range tests {
		t.Run(string(name), func(t *testing.T) {
			got, err := preflight(request(t, test.key, "www.example.com", nil, nil), false)
			if err != nil || got.key != name {
				t.Fatalf("got %q, %v", got.key, err)
			}
			want := ""
			if !test.byItself {
				want = "the key " + string(name) + " is not among those that the issuer takes (RSA2048, RSA3072, RSA4096, ECDSAP256): set spec.privateKey of the Certificate"
			}
			wantText(t, preflightFor(got, &v1alpha1.ResourcePlan{ProductCode: "digicert-free-1-free"}), want)
			plan := &v1alpha1.ResourcePlan{ProductCode: "digicert-free-1-free", KeyAlgorithms: []v1alpha1.KeyAlgorithm{"ECDSAP256", name}}
			wantText(t, preflightFor(got, plan), "")
			plan.KeyAlgorithms = []v1alpha1.KeyAlgorithm{"other", "another"}
			wantText(t, preflightFor(got, plan),
				"the key "+string(name)+" is not among those that the issuer takes (other, another): set spec.privateKey of the Certificate")
		})
	}
}

func TestARequestFitsTheProductOrSaysWhatDoesNot(t *testing.T) {
	const single, wildcard = "digicert-free-1-free", "geotrust-dv-w-starter"
	foreign := func(name, other string) string {
		return `CAS binds one name to an order, "` + name + `", and "` + other + `" is another one: remove it from spec.dnsNames, or use a Certificate of its own for it`
	}
	optIn := func(name, other, opt string) string {
		return `CAS binds one name to an order, "` + name + `"; some brands add "` + other + `" by themselves: remove it from spec.dnsNames, or add ` + opt +
			` to spec.source.resourcePlan.additionalNames of the issuer`
	}
	all := []v1alpha1.AdditionalName{v1alpha1.AdditionalNameWWW, v1alpha1.AdditionalNameApex, v1alpha1.AdditionalNameWildcardBase}
	tests := map[string]struct {
		product string
		kind    v1alpha1.DomainType
		opted   []v1alpha1.AdditionalName
		names   []string
		want    string
	}{
		"one name":                      {single, "", nil, []string{"www.example.com"}, ""},
		"a wildcard":                    {wildcard, "", nil, []string{"*.example.com"}, ""},
		"a wildcard for a single":       {single, "", nil, []string{"*.example.com"}, `the product "digicert-free-1-free" is for single names, and "*.example.com" is a wildcard: use an issuer with a wildcard product`},
		"a single for a wildcard":       {wildcard, "", nil, []string{"example.com"}, `the product "geotrust-dv-w-starter" is for wildcard names, and "example.com" is none: use an issuer with a product for single names`},
		"what the issuer says counts":   {single, v1alpha1.DomainTypeWildcard, nil, []string{"*.example.com"}, ""},
		"for both kinds":                {single, v1alpha1.DomainTypeWildcard, nil, []string{"example.com"}, `the product "digicert-free-1-free" is for wildcard names, and "example.com" is none: use an issuer with a product for single names`},
		"another name":                  {single, "", all, []string{"www.example.com", "b.example.com"}, foreign("www.example.com", "b.example.com")},
		"another domain":                {single, "", all, []string{"example.com", "example.net"}, foreign("example.com", "example.net")},
		"a look-alike":                  {single, "", all, []string{"example.com", "wwwexample.com"}, foreign("example.com", "wwwexample.com")},
		"a second wildcard":             {wildcard, "", all, []string{"*.example.com", "*.example.net"}, foreign("*.example.com", "*.example.net")},
		"a wildcard beside a name":      {single, "", all, []string{"example.com", "*.example.com"}, foreign("example.com", "*.example.com")},
		"below a wildcard":              {wildcard, "", all, []string{"*.example.com", "www.example.com"}, foreign("*.example.com", "www.example.com")},
		"www is not opted in to":        {single, "", nil, []string{"example.com", "www.example.com"}, optIn("example.com", "www.example.com", "WWW")},
		"www is":                        {single, "", all[:1], []string{"example.com", "www.example.com"}, ""},
		"www of www":                    {single, "", all[:1], []string{"www.example.com", "www.www.example.com"}, ""},
		"the apex is not opted in to":   {single, "", all[:1], []string{"www.example.com", "example.com"}, optIn("www.example.com", "example.com", "Apex")},
		"the apex is":                   {single, "", all[1:2], []string{"www.example.com", "example.com"}, ""},
		"the base is not opted in to":   {wildcard, "", all[:2], []string{"*.example.com", "example.com"}, optIn("*.example.com", "example.com", "WildcardBase")},
		"the base is":                   {wildcard, "", all[2:], []string{"*.example.com", "example.com"}, ""},
		"one of two is another name":    {single, "", all, []string{"example.com", "www.example.com", "b.example.com"}, foreign("example.com", "b.example.com")},
		"a SAN with a dot at its end":   {single, "", all, []string{"example.com", "example.com."}, foreign("example.com", "example.com.")},
		"a product that nobody knows":   {"new-brand", "", nil, []string{"*.example.com"}, ""}, // its issuer is not ready
		"an unknown one, said to be so": {"new-brand", v1alpha1.DomainTypeSingle, nil, []string{"*.example.com"}, `the product "new-brand" is for single names, and "*.example.com" is a wildcard: use an issuer with a wildcard product`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan := &v1alpha1.ResourcePlan{ProductCode: test.product, DomainType: test.kind, AdditionalNames: test.opted}
			asks := signingRequest{commonName: test.names[0], dnsNames: test.names, key: v1alpha1.KeyAlgorithmRSA2048}
			wantText(t, preflightFor(asks, plan), test.want)
		})
	}
}
