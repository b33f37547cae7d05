// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

func TestARequestIsTakenForItsNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	tests := map[string]struct {
		commonName string
		sans       []string
		want       []string // the common name first
	}{
		"no SANs":           {"www.example.com", nil, []string{"www.example.com"}},
		"the name as a SAN": {"www.example.com", []string{"www.example.com"}, []string{"www.example.com"}},
		"the name twice": {"www.example.com", []string{"www.example.com", "www.example.com"},
			[]string{"www.example.com"}},
		"upper case": {"WWW.Example.COM", []string{"www.EXAMPLE.com"}, []string{"www.example.com"}},
		"the name is not the first": {"b.example.com", []string{"a.example.com", "B.example.com", "A.example.com"},
			[]string{"b.example.com", "a.example.com"}},
		"a wildcard": {"*.example.com", []string{"*.example.com", "example.com"},
			[]string{"*.example.com", "example.com"}},
		"punycode":             {"www.xn--fsqu00a.xn--fiqs8s", nil, []string{"www.xn--fsqu00a.xn--fiqs8s"}},
		"the registrable name": {"example.com", nil, []string{"example.com"}},
		"digits and hyphens":   {"1-a--b.0.example.com", nil, []string{"1-a--b.0.example.com"}},
		"64 characters":        {long[:60] + ".com", nil, []string{long[:60] + ".com"}},
		"another name is for others": {"www.example.com", []string{"www.example.net"},
			[]string{"www.example.com", "www.example.net"}},
	}
	key := certs.NewKey(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, against := Preflight(gen.Certified(certs.Request(t, key, test.commonName, test.sans, nil)), nil, true)
			if against != nil {
				t.Fatal(against)
			}
			want := Asks{CommonName: test.want[0], DNSNames: test.want, Key: v1alpha1.KeyAlgorithmECDSAP256,
				IsApart: strings.HasPrefix(name, "another")}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Asks{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestARequestThatCASCouldNeverServeSaysWhatToChange(t *testing.T) {
	unreadable := "the certificate signing request cannot be read: error decoding certificate request PEM block: no " +
		"PEM data was found in given input"
	cn := func(name string, sans ...string) *cmapi.CertificateRequest {
		return gen.Certified(certs.Request(t, certs.NewKey(t), name, sans, nil))
	}
	long := strings.Repeat("a", 61) + ".com"
	tests := map[string]struct {
		request *cmapi.CertificateRequest
		want    string
	}{
		"nothing": {gen.Certified(nil), unreadable},
		"no PEM":  {gen.Certified([]byte("hello")), unreadable},
		"forged": {gen.Certified(forged(t)), "the certificate signing request is not signed by its key: x509: ECDSA " +
			"verification failure"},
		"no name": {cn(""), noName + "set spec.commonName of the Certificate to a DNS name"},
		"only SANs": {cn("", "www.example.com", "b.example.com"), noName + `set spec.commonName of the Certificate ` +
			`to "www.example.com", ` +
			"or the annotation cert-manager.io/common-name of the Ingress or Gateway if it has a single Secret"},
		"the first SAN cannot be it": {
			cn("", "my_app.example.com", strings.Repeat("a", 60)+".example.com", "192.0.2.1", "b.example.com"), noName +
				`set spec.commonName of the Certificate to "b.example.com", or the annotation ` +
				`cert-manager.io/common-name of the Ingress or Gateway if it has a single Secret; ` +
				`the name "my_app.example.com" has an underscore: remove it from spec.dnsNames of the Certificate; ` +
				`the name "192.0.2.1" is an IP address: remove it from spec.dnsNames of the Certificate`},
		"only a long SAN": {cn("", "pgweb-team-pgweb-very-long-name-to-overflow-cn-limit.apps.dev.example.com"),
			noName +
				`"pgweb-team-pgweb-very-long-name-to-overflow-cn-limit.apps.dev.example.com" is too long for CAS, ` +
				`it has 73 characters and a common name takes at most 64: ` +
				`choose a shorter name, or the wildcard "*.apps.dev.example.com"`},
		"Unicode": {cn("例子.中国"), `the common name "例子.中国" is not ASCII: write ` +
			`"xn--fsqu00a.xn--fiqs8s" in spec.commonName of the Certificate`},
		"65 letters": {cn(long), `the common name "` + long + `" has 65 characters, and a common ` +
			`name takes at most 64: choose a shorter name`},
		"65 letters below a company": {cn(strings.Repeat("a", 57) + ".acme.eu"), `the common name "` +
			strings.Repeat("a", 57) + `.acme.eu" has 65 characters, and a common name takes at most 64: choose a ` +
			`shorter name, or the wildcard "*.acme.eu"`},
		"a dot, in both places": {cn("td.example.com.", "td.example.com."), `the common name "td.example.com." ends ` +
			`with a dot: ` +
			`write "td.example.com" in spec.commonName and spec.dnsNames of the Certificate`},
		"a SAN with spaces": {cn("www.example.com", " b.example.com "), `the name " b.example.com " ` +
			`begins with a space, and ends with a space: write "b.example.com" in spec.dnsNames of the Certificate`},
		"a SAN with a dot, and without": {cn("example.com", "example.com", "example.com."),
			`the name "example.com." ends with a dot: remove it from spec.dnsNames of the Certificate`},
		"an empty SAN": {cn("www.example.com", ""), `the name "" is empty: remove it from spec.dnsNames ` +
			`of the Certificate`},
		"a title as common name": {cn("My App", "www.example.com"), `the common name "my app" has a space inside, ` +
			`and has a single label: set spec.commonName of the Certificate to "www.example.com"`},
		"a bad one among the others": {cn("my_app.example.com", "my_app.example.com", "www.example.com"),
			`the common name "my_app.example.com" has an underscore: ` +
				`set spec.commonName of the Certificate to "www.example.com", and remove the other from spec.dnsNames`},
	}
	for name, fault := range map[string]string{
		"192.0.2.1": "is an IP address", "*.192.0.2.1": "is an IP address", "2001:db8::1": "is an IP address",
		"localhost": "has a single label",
		"*":         `has a "*" that is not its whole first label, and has a single label`,
		"*.com":     "has a single label", ".example.com": "has an empty label",
		"www..example.com":  "has an empty label",
		"-www.example.com":  `has a hyphen at an end of the label "-www"`,
		"www-.example.com":  `has a hyphen at an end of the label "www-"`,
		"*.*.example.com":   `has a "*" that is not its whole first label`,
		"w*.example.com":    `has a "*" that is not its whole first label`,
		"www.*.example.com": `has a "*" that is not its whole first label`, "_dnsauth.example.com": "has an underscore",
		"my__app.example.com": "has an underscore",
		"www.exa mple.com":    "has a space inside", "www.example.com:443": `has the character ":"`,
		"https://www.example.com":       `has the character ":", and has the character "/"`,
		"www.example.com,b.example.com": `has the character ","`, "www.example.com/path": `has the character "/"`,
		"me@example.com":      `has the character "@"`,
		"www.example.com\x00": `has the character "\x00"`, strings.Repeat("a", 64) + ".b": "has 66 characters, and " +
			"a common name takes at most 64, and has a label of 64 characters, of which 63 are the most",
	} {
		tests["the name "+name] = struct {
			request *cmapi.CertificateRequest
			want    string
		}{cn(name), fmt.Sprintf(`the common name %q %s: write a DNS name such as "www.example.com" in `+
			`spec.commonName of the Certificate`, name, fault)}
	}
	for name, fault := range map[string]string{"www.example.com.": "ends with a dot",
		" www.example.com": "begins with a space", "m9.example.com ": "ends with a space"} {
		tests["the name "+name] = struct {
			request *cmapi.CertificateRequest
			want    string
		}{cn(name), fmt.Sprintf(`the common name %q %s: write %q in spec.commonName of the Certificate`, name, fault,
			strings.Trim(name, " ."))}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, against := Preflight(test.request, nil, true)
			compare.Text(t, against.Err(), test.want)
		})
	}
	t.Run("another PEM", func(t *testing.T) {
		_, against := Preflight(gen.Certified(certs.Bundle(certs.NewRoot(t, "root").Certificate)), nil, true)
		if err := against.Err(); err == nil ||
			!strings.HasPrefix(err.Error(), "the certificate signing request cannot be read: ") {
			t.Errorf("got %v", err)
		}
	})
}

const noName = "CAS takes the domain from the common name, and the request has none: "

func TestAllThatSpeaksAgainstARequestIsToldOnce(t *testing.T) {
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("a_%d.example.com", i))
	}
	csr := certs.Request(t, certs.NewKey(t), "www.example.com",
		append([]string{"b.example.com", "a_0.example.com"}, many...),
		func(r *x509.CertificateRequest) {
			r.IPAddresses = []net.IP{{192, 0, 2, 1}}
		})
	_, against := Preflight(gen.Certified(csr, func(r *cmapi.CertificateRequest) { r.Spec.IsCA = true }), nil, true)
	compare.Same(t, len(against), 22)
	text := against.Err().Error()
	compare.Same(t, strings.Count(text, "; "), 10)
	compare.Same(t, strings.Count(text, "a_0.example.com"), 1)
	compare.Same(t, strings.HasSuffix(text, "; and 12 more like these"), true)
}

// forged has the name of one request and the signature of another.
func forged(t *testing.T) []byte {
	t.Helper()
	block, _ := pem.Decode(certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil))
	at := slices.Index(block.Bytes, 'x')
	for ; !strings.HasPrefix(string(block.Bytes[at:]), "xample"); at++ {
	}
	block.Bytes[at] = 'y'
	return pem.EncodeToMemory(block)
}
