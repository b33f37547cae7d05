// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"regexp"
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func TestABareRequestIsNotToldToEditACertificate(t *testing.T) {
	cn := func(name string, sans ...string) *cmapi.CertificateRequest {
		return gen.Bare(certs.Request(t, certs.NewKey(t), name, sans, nil))
	}
	plan := &v1alpha1.ResourcePlan{ProductCode: "digicert-free-1-free", KeyAlgorithms: []v1alpha1.KeyAlgorithm{
		"RSA2048"}}
	tests := map[string]struct {
		request *cmapi.CertificateRequest
		want    string
	}{
		"no common name": {cn("", "www.example.com"), "CAS takes the domain from the common name, and the " +
			"request has none: " + `make the signing request anew with the common name ` +
			`"www.example.com"`},
		"no name at all": {cn(""), "CAS takes the domain from the common name, and the request has none: " +
			"make the signing request anew with a DNS name as common name"},
		"an underscore": {cn("my_app.example.com"), `the common name "my_app.example.com" has an underscore: make ` +
			`the signing request anew with a DNS name such as "www.example.com"`},
		"a space": {cn("www.example.com "), `the common name "www.example.com " ends with a space: make the ` +
			`signing request anew with "www.example.com"`},
		"a bad SAN": {cn("www.example.com", "a_b.example.com"), `the name "a_b.example.com" has an underscore: make ` +
			`the signing request anew without it`},
		"other names": {cn("www.example.com", "b.example.com", "c.example.com"), `CAS binds one name to an order, ` +
			`"www.example.com", and "b.example.com", "c.example.com" are others: ` +
			"make the signing request anew without them, and another one for each"},
		"a CA": {gen.Bare(certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil),
			func(r *cmapi.CertificateRequest) {
				r.Spec.IsCA = true
			}),
			"CAS issues no CA certificates: make the signing request anew without isCA"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			asks, against := csr.Preflight(test.request, Sells(plan), true)
			more := Fits(asks, plan)
			compare.Same(t, len(more) > 0, true)
			against.AddAll(more)
			for _, reason := range against {
				if strings.Contains(reason, "Certificate") || strings.Contains(reason, "spec.dnsNames") {
					t.Errorf("it is told to edit what it has not: %s", reason)
				}
			}
			key := "the key ECDSAP256 is not among those that the issuer takes (RSA2048): make the signing request " +
				"anew with such a key"
			wants := csr.Reasons{test.want, key}
			if name == "other names" {
				wants = csr.Reasons{key, test.want}
			}
			compare.Same(t, against, wants)
		})
	}
}

// TestAnIngressIsToldWhereItsNamesComeFrom: the annotation of an Ingress puts the same common name into the
// Certificates of all of its Secrets, and only one of these has it among its names.
func TestAnIngressIsToldWhereItsNamesComeFrom(t *testing.T) {
	const other = `CAS binds one name to an order, "ia.example.com", and "ib.example.com" is another one: `
	const ingress = "where an Ingress or Gateway asks for it, the annotation cert-manager.io/common-name holds for " +
		"all its Secrets: write Certificates instead"
	sign := func(sans ...string) []byte { return certs.Request(t, certs.NewKey(t), "ia.example.com", sans, nil) }
	plan := &v1alpha1.ResourcePlan{ProductCode: "digicert-free-1-free", AdditionalNames: []v1alpha1.AdditionalName{
		"WWW"}}
	for name, test := range map[string]struct {
		request *cmapi.CertificateRequest
		want    csr.Reasons
	}{
		"the Secret of another host": {gen.Certified(sign("ib.example.com")), csr.Reasons{other + "remove it from " +
			"spec.dnsNames, or use a Certificate of its own for it", ingress}},
		"the Secret of both hosts": {gen.Certified(sign("ia.example.com", "ib.example.com")),
			csr.Reasons{other + "remove it " +
				"from spec.dnsNames, or use a Certificate of its own for it"}},
		"a person asks": {gen.Bare(sign("ib.example.com")), csr.Reasons{other + "make the signing request anew " +
			"without it, and another one for it"}},
		"the Secret of its host":   {gen.Certified(sign("ia.example.com")), nil},
		"a name that goes with it": {gen.Certified(sign("www.ia.example.com")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			asks, against := csr.Preflight(test.request, Sells(plan), true)
			against.AddAll(Fits(asks, plan))
			compare.Same(t, against, test.want)
		})
	}
}

// TestWhatIsSuggestedIsAcceptedNext follows the advice of each refusal: nothing must speak against a request with the
// suggested names.
func TestWhatIsSuggestedIsAcceptedNext(t *testing.T) {
	long := strings.Repeat("a", 60)
	single, wildcard := &v1alpha1.ResourcePlan{ProductCode: "digicert-free-1-free"},
		&v1alpha1.ResourcePlan{ProductCode: "geotrust-dv-w-starter"}
	tests := map[string]struct {
		plan       *v1alpha1.ResourcePlan
		commonName string
		sans       []string
		want       string // the common name that is suggested, "" for none
	}{
		"the first": {single, "", []string{"a.example.com"}, "a.example.com"},
		"the first that is short enough": {single, "", []string{long + ".example.com", "a.example.com"},
			"a.example.com"},
		"the first that is good": {
			single, "", []string{"a_b.example.com", "localhost", "10.0.0.1", "a.example.com"}, "a.example.com"},
		"no wildcard for a single name": {single, "", []string{"*.example.com", "a.example.com"}, "a.example.com"},
		"a wildcard for a wildcard":     {wildcard, "", []string{"example.com", "*.example.com"}, "*.example.com"},
		"a long one has a wildcard":     {wildcard, "", []string{long + ".example.com"}, "*.example.com"},
		"if need be of another issuer":  {single, "", []string{long + ".example.com"}, "*.example.com"},
		"nor below a registry":          {wildcard, "", []string{long + ".com.cn"}, ""},
		"without a dot at its end":      {single, "a.example.com.", nil, "a.example.com"},
		"in punycode":                   {single, "例子.中国", nil, "xn--fsqu00a.xn--fiqs8s"},
		"a SAN for a bad common name":   {single, "a_b.example.com", []string{"a.example.com"}, "a.example.com"},
		"an example":                    {single, "localhost", nil, "www.example.com"},
		"an example for nothing":        {single, "", nil, ""},
	}
	name := regexp.MustCompile(`(?:to|write|wildcard|such as) "([^"]+)"`)
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, against := csr.Preflight(
				gen.Certified(certs.Request(t, certs.NewKey(t), test.commonName, test.sans, nil)),
				Sells(test.plan), true)
			if len(against) == 0 {
				t.Fatal("it is not refused")
			}
			suggested := ""
			if found := name.FindStringSubmatch(against[0]); found != nil {
				suggested = found[1]
			}
			compare.Same(t, suggested, test.want)
			if suggested == "" {
				return
			}
			plan := test.plan
			if strings.Contains(against[0], "and an issuer with a wildcard product") {
				plan = wildcard
			}
			asks, against := csr.Preflight(
				gen.Certified(certs.Request(t, certs.NewKey(t), suggested, []string{suggested}, nil)), Sells(plan),
				true)
			against.AddAll(Fits(asks, plan))
			compare.Same(t, against, csr.Reasons(nil))
		})
	}
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
			got, against := csr.Preflight(
				gen.Certified(certs.Request(t, test.key, "www.example.com", nil, nil)), nil, true)
			if against != nil || got.Key != name {
				t.Fatalf("got %q, %v", got.Key, against)
			}
			want := ""
			if !test.byItself {
				want = "the key " + string(name) + " is not among those that the issuer takes (RSA2048, RSA3072, " +
					"RSA4096, ECDSAP256): set spec.privateKey of the Certificate"
			}
			compare.Text(t, Fits(got, &v1alpha1.ResourcePlan{ProductCode: "digicert-free-1-free"}).Err(), want)
			plan := &v1alpha1.ResourcePlan{ProductCode: "digicert-free-1-free", KeyAlgorithms: []v1alpha1.KeyAlgorithm{
				"ECDSAP256", name}}
			compare.Text(t, Fits(got, plan).Err(), "")
			plan.KeyAlgorithms = []v1alpha1.KeyAlgorithm{"other", "another"}
			compare.Text(t, Fits(got, plan).Err(),
				"the key "+string(name)+" is not among those that the issuer takes (other, another): set "+
					"spec.privateKey of the Certificate")
		})
	}
}

func TestARequestFitsTheProductOrSaysWhatDoesNot(t *testing.T) {
	const single, wildcard = "digicert-free-1-free", "geotrust-dv-w-starter"
	foreign := func(name, other string) string {
		return `CAS binds one name to an order, "` + name + `", and "` + other +
			`" is another one: remove it from spec.dnsNames, or use a Certificate of its own for it`
	}
	noProduct := func(name, other string) string {
		return strings.TrimSuffix(foreign(name, other), ", or use a Certificate of its own for it")
	}
	optIn := func(name, other, opt string) string {
		return `CAS binds one name to an order, "` + name + `"; some brands add "` + other +
			`" by themselves: remove it from spec.dnsNames, or add ` + opt +
			` to spec.source.resourcePlan.additionalNames of the issuer`
	}
	all := []v1alpha1.AdditionalName{v1alpha1.AdditionalNameWWW, v1alpha1.AdditionalNameApex,
		v1alpha1.AdditionalNameWildcardBase}
	tests := map[string]struct {
		product string
		kind    v1alpha1.DomainType
		opted   []v1alpha1.AdditionalName
		names   []string
		want    string
	}{
		"one name":   {single, "", nil, []string{"www.example.com"}, ""},
		"a wildcard": {wildcard, "", nil, []string{"*.example.com"}, ""},
		"a wildcard for a single": {single, "", nil, []string{"*.example.com"}, `the product ` +
			`"digicert-free-1-free" is for single names, and "*.example.com" is a wildcard: use an issuer with a ` +
			`wildcard product`},
		"a single for a wildcard": {wildcard, "", nil, []string{"example.com"}, `the product ` +
			`"geotrust-dv-w-starter" is for wildcard names, and "example.com" is none: use an issuer with a product ` +
			`for single names`},
		"what the issuer says counts": {single, v1alpha1.DomainTypeWildcard, nil, []string{"*.example.com"}, ""},
		"for both kinds": {single, v1alpha1.DomainTypeWildcard, nil, []string{"example.com"},
			`the product "digicert-free-1-free" is for wildcard names, and "example.com" is none: use an issuer ` +
				`with a product for single names`},
		"another name": {single, "", all, []string{"www.example.com", "b.example.com"},
			foreign("www.example.com", "b.example.com")},
		"another domain": {single, "", all, []string{"example.com", "example.net"},
			foreign("example.com", "example.net")},
		"a look-alike": {single, "", all, []string{"example.com", "wwwexample.com"},
			foreign("example.com", "wwwexample.com")},
		"a second wildcard": {wildcard, "", all, []string{"*.example.com", "*.example.net"},
			foreign("*.example.com", "*.example.net")},
		"a wildcard beside a name": {single, "", all, []string{"example.com", "*.example.com"},
			noProduct("example.com", "*.example.com")},
		"below a wildcard": {wildcard, "", all, []string{"*.example.com", "www.example.com"},
			noProduct("*.example.com", "www.example.com")},
		"www is not opted in to": {single, "", nil, []string{"example.com", "www.example.com"},
			optIn("example.com", "www.example.com", "WWW")},
		"www is":     {single, "", all[:1], []string{"example.com", "www.example.com"}, ""},
		"www of www": {single, "", all[:1], []string{"www.example.com", "www.www.example.com"}, ""},
		"the apex is not opted in to": {single, "", all[:1], []string{"www.example.com", "example.com"},
			optIn("www.example.com", "example.com", "Apex")},
		"the apex is": {single, "", all[1:2], []string{"www.example.com", "example.com"}, ""},
		"the base is not opted in to": {wildcard, "", all[:2], []string{"*.example.com", "example.com"},
			optIn("*.example.com", "example.com", "WildcardBase")},
		"the base is": {wildcard, "", all[2:], []string{"*.example.com", "example.com"}, ""},
		"one of two is another name": {single, "", all, []string{"example.com", "www.example.com", "b.example.com"},
			foreign("example.com", "b.example.com")},
		"a SAN with a dot at its end": {single, "", all, []string{"example.com", "example.com."},
			noProduct("example.com", "example.com.")},
		"several are other names": {
			single, "", all, []string{"example.com", "b.example.com", "c.example.com", "*.example.com",
				"d_e.example.com"},
			`CAS binds one name to an order, "example.com", and "b.example.com", "c.example.com" are others: remove ` +
				`them from spec.dnsNames, or use a Certificate of its own for each; ` +
				`CAS binds one name to an order, "example.com", and "*.example.com", "d_e.example.com" are others: ` +
				`remove them from spec.dnsNames`},
		"two are not opted in to": {
			single, "", nil, []string{"www.example.com", "example.com", "www.www.example.com"},
			optIn("www.example.com", "example.com", "Apex") + "; " +
				optIn("www.example.com", "www.www.example.com", "WWW")},
		// refused elsewhere: its issuer is not ready
		"a product that nobody knows": {"new-brand", "", nil, []string{"*.example.com"}, ""},
		"an unknown one, said to be so": {"new-brand", v1alpha1.DomainTypeSingle, nil, []string{"*.example.com"},
			`the product "new-brand" is for single names, and "*.example.com" is a wildcard: use an issuer with a ` +
				`wildcard product`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan := &v1alpha1.ResourcePlan{ProductCode: test.product, DomainType: test.kind,
				AdditionalNames: test.opted}
			asks := csr.Asks{CommonName: test.names[0], DNSNames: test.names, Key: v1alpha1.KeyAlgorithmRSA2048}
			compare.Text(t, Fits(asks, plan).Err(), test.want)
		})
	}
}
