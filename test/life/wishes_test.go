// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestAWishThatCASCannotGrantIsOrderedAndSaid goes through what a Certificate can wish for: the certificate is of use
// without it, and its owner must not have to find that out from the certificate.
func TestAWishThatCASCannotGrantIsOrderedAndSaid(t *testing.T) {
	mustStaple := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}
	usages := func(usages ...cmapi.KeyUsage) func(*cmapi.CertificateRequest) {
		return func(r *cmapi.CertificateRequest) { r.Spec.Usages = usages }
	}
	for name, test := range map[string]struct {
		csr     func(*x509.CertificateRequest)
		request func(*cmapi.CertificateRequest)
		want    []string
	}{
		"none":               {},
		"the default usages": {request: usages(cmapi.UsageDigitalSignature, cmapi.UsageKeyEncipherment)},
		"a server": {request: usages(cmapi.UsageDigitalSignature, cmapi.UsageKeyEncipherment,
			cmapi.UsageServerAuth)},
		"a client beside the server": {request: usages(cmapi.UsageServerAuth, cmapi.UsageClientAuth),
			want: []string{`Normal UsagesNotHonoured CAS decides on the key usages of the certificate: "client ` +
				`auth" cannot be asked for`}},
		"a duration": {request: func(r *cmapi.CertificateRequest) {
			r.Spec.Duration = &metav1.Duration{Duration: 896 * time.Hour}
		},
			want: []string{"Normal DurationNotHonoured CAS decides how long the certificate lives: the duration " +
				"896h0m0s cannot be asked for"}},
		"a subject": {csr: func(c *x509.CertificateRequest) {
			c.Subject = pkix.Name{CommonName: gen.Domain, Organization: []string{"Foo Ltd"},
				OrganizationalUnit: []string{"PKI", "ABC"}, Country: []string{"CN"}, SerialNumber: "42"}
		}, want: []string{"Normal SubjectNotHonoured the subject of a DV certificate has nothing but the common " +
			"name: C=CN, O=Foo Ltd, OU=ABC, OU=PKI, serialNumber=42 cannot be asked for"}},
		"must-staple and another": {csr: func(c *x509.CertificateRequest) {
			c.ExtraExtensions = []pkix.Extension{
				mustStaple, {Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: []byte{5, 0}}}
		}, want: []string{"Normal ExtensionsNotHonoured CAS decides on the extensions of the certificate: " +
			"must-staple, 1.2.3.4 cannot be asked for"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			e.Create(gen.Issuer(e.Namespace, e.Simulator.URL()))
			var csrs []func(*x509.CertificateRequest)
			if test.csr != nil {
				csrs = append(csrs, test.csr)
			}
			request := gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), csrs...), gen.OfCertificate)
			if test.request != nil {
				test.request(request)
			}
			e.Create(request)
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Until(time.Hour, isReady(e))
			got := slices.DeleteFunc(slices.Clone(e.Events()),
				func(event string) bool { return !strings.Contains(event, "NotHonoured") })
			if diff := cmp.Diff(test.want, got); diff != "" && len(test.want)+len(got) > 0 {
				t.Errorf("the events (-want +got):\n%s", diff)
			}
			if n := len(e.Simulator.Ledger()); n != 1 {
				t.Errorf("%d orders were billed, want one", n)
			}
		})
	}
}
