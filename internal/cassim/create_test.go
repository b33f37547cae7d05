// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strconv"
	"strings"
	"testing"

	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

type createRequest = sdkcas.CreateCertificateWithCsrRequestRequest

func rsaKey(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func curveKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestARefusedCreateIsNotBilled(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	w := start(t, cassim.Options{})
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr := func(cn string) func(*createRequest) {
		return func(r *createRequest) { r.Csr = newCSR(t, newKey(t), cn) }
	}
	product := func(code, cn string) func(*createRequest) {
		w.SetPackage(code, 1, 0)
		return func(r *createRequest) { r.ProductCode, r.Csr = code, newCSR(t, newKey(t), cn) }
	}
	tag := func(name, value string) func(*createRequest) {
		return func(r *createRequest) { r.QueryParams[name] = value }
	}
	tests := map[string]struct {
		spoil  func(*createRequest)
		status int
		code   string
	}{
		"no PEM":         {func(r *createRequest) { r.Csr = "MIIC" }, 400, "InvalidParameter.Csr"},
		"two PEM blocks": {func(r *createRequest) { r.Csr += r.Csr }, 400, "InvalidParameter.Csr"},
		"a certificate": {func(r *createRequest) { r.Csr = string(w.RootPEM()) }, 400,
			"InvalidParameter.Csr"},
		"no common name":            {csr(""), 400, "InvalidParameter.Csr"},
		"a name of one label":       {csr("localhost"), 400, "InvalidParameter.Csr"},
		"a name in Unicode":         {csr("bücher.example.com"), 400, "InvalidParameter.Csr"},
		"a name with an underscore": {csr("a_b.example.com"), 400, "InvalidParameter.Csr"},
		"a name of 65 characters":   {csr(strings.Repeat("a", 53) + ".example.com"), 400, "InvalidParameter.Csr"},
		"a wildcard in the middle":  {csr("a.*.example.com"), 400, "InvalidParameter.Csr"},
		"RSA of 1024 bits": {func(r *createRequest) { r.Csr = newCSR(t, rsaKey(t, 1024), "example.com") }, 400,
			"InvalidParameter.Csr"},
		"Ed25519": {func(r *createRequest) { r.Csr = newCSR(t, ed, "example.com") }, 400,
			"InvalidParameter.Csr"},
		"P-384": {
			func(r *createRequest) { r.Csr = newCSR(t, curveKey(t, elliptic.P384()), "example.com") }, 400,
			"InvalidParameter.Csr"},
		"another validation": {func(r *createRequest) { r.ValidateType = "HTTP" }, 400,
			"InvalidParameter.ValidateType"},
		"a wildcard by file": {func(r *createRequest) {
			product("geotrust-dv-w-starter", "*.example.com")(r)
			r.ValidateType = "FILE"
		}, 400, "InvalidParameter.ValidateType"},
		"a wildcard of a single product": {csr("*.example.com"), 400, "DomainAndProductNotMatch"},
		"a single of a wildcard product": {product("globalsign-dv-w-advanced", "example.com"), 400,
			"DomainAndProductNotMatch"},
		"no plan": {func(r *createRequest) { r.ProductCode = "geotrust-dv-1-starter" }, 404,
			"NotFoundPackage"},
		"an empty plan": {func(r *createRequest) { w.SetPackage("p", 0, 0); r.ProductCode = "p" }, 404,
			"NotRemainCount"},
		"a tag above the twentieth": {tag("Tags.21.Key", "k"), 400, "InvalidParameter.Tags"},
		"a tag below the first":     {tag("Tags.0.Key", "k"), 400, "InvalidParameter.Tags"},
		"a tag with a leading zero": {tag("Tags.01.Key", "k"), 400, "InvalidParameter.Tags"},
		"a tag of no part":          {tag("Tags.1", "k"), 400, "InvalidParameter.Tags"},
		"a value without a key":     {tag("Tags.1.Value", "v"), 400, "InvalidParameter.Tags"},
		"an empty key":              {tag("Tags.1.Key", ""), 400, "InvalidParameter.Tags"},
		"a key of 129 characters":   {tag("Tags.1.Key", strings.Repeat("é", 129)), 400, "InvalidParameter.Tags"},
		"a key of Alibaba's":        {tag("Tags.1.Key", "aliyun.com/x"), 400, "InvalidParameter.Tags"},
		"a key of the system's":     {tag("Tags.1.Key", "acs:x"), 400, "InvalidParameter.Tags"},
		"a URL in a key":            {tag("Tags.1.Key", "x https://y"), 400, "InvalidParameter.Tags"},
		"a source address": {func(r *createRequest) { r.SourceIp = "192.0.2.1" }, 400,
			"InvalidParameter.NotInContract"},
	}
	for name, test := range tests {
		req := w.application("example.com")
		test.spoil(req)
		_, err := w.cas.CreateCertificateWithCsrRequest(req)
		t.Run(name, func(t *testing.T) { wantCode(t, err, test.status, test.code) })
	}
	if ledger := w.Ledger(); len(ledger) != 0 || w.UsedCount(cassim.DefaultProduct) != 0 {
		t.Errorf("%d orders are billed, %d used", len(ledger), w.UsedCount(cassim.DefaultProduct))
	}
}

func TestACreateAtItsLimitsIsBilled(t *testing.T) {
	w := start(t, cassim.Options{})
	w.SetPackage("symantec-dv-1-starter", 2, 0)
	tests := map[string]func(*createRequest){
		"the default product": func(r *createRequest) { r.ProductCode = "" },
		"a name of 64 characters": func(r *createRequest) {
			r.Csr = newCSR(t, newKey(t), strings.Repeat("a", 52)+".example.com")
		},
		"an A-label":       func(r *createRequest) { r.Csr = newCSR(t, newKey(t), "xn--bcher-kva.example.com") },
		"RSA of 2048 bits": func(r *createRequest) { r.Csr = newCSR(t, rsaKey(t, 2048), "example.com") },
		"the older PEM type": func(r *createRequest) {
			r.Csr = strings.ReplaceAll(r.Csr, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
		},
		"by file":                             func(r *createRequest) { r.ValidateType = "FILE" },
		"a single of the product in conflict": func(r *createRequest) { r.ProductCode = "symantec-dv-1-starter" },
		"a wildcard of the product in conflict": func(r *createRequest) {
			r.ProductCode, r.Csr = "symantec-dv-1-starter", newCSR(t, newKey(t), "*.example.com")
		},
		"twenty tags": func(r *createRequest) {
			for n := 1; n <= 20; n++ {
				r.QueryParams["Tags."+strconv.Itoa(n)+".Key"] = strconv.Itoa(n) + strings.Repeat("é", 126)
			}
		},
	}
	for name, change := range tests {
		req := w.application("example.com")
		change(req)
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.create(req)
		})
	}
	if got := len(w.Ledger()); got != len(tests) {
		t.Errorf("%d orders are billed, not %d", got, len(tests))
	}
}

func TestTheLedgerTellsWhatWasBought(t *testing.T) {
	w := start(t, cassim.Options{})
	req := w.application("Shop.Example.com")
	req.QueryParams["Tags.2.Key"] = "b"
	req.QueryParams["Tags.1.Key"], req.QueryParams["Tags.1.Value"] = "a", "1"
	id := w.create(req)
	want := []cassim.LedgerEntry{{
		OrderID: id, AccountID: "1000000000000001", ProductCode: cassim.DefaultProduct, Domain: "shop.example.com",
		CSRFingerprint: w.Ledger()[0].CSRFingerprint, BoughtAt: began, Tags: map[string]string{"a": "1", "b": ""},
		State: "domain_verify",
	}}
	if diff := cmp.Diff(want, w.Ledger()); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	if len(want[0].CSRFingerprint) != 64 {
		t.Errorf("the fingerprint is %q", want[0].CSRFingerprint)
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil || number <= 1<<53 {
		t.Errorf("the id %s fits into a float64", id)
	}
}
