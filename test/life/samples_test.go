// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"encoding/pem"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestTheSampleCertificateIsWhatIsIssued orders what README has users apply. cert-manager compares the two by this very
// function, and makes a Certificate unready while it is renewed if they differ.
func TestTheSampleCertificateIsWhatIsIssued(t *testing.T) {
	certificate := &cmapi.Certificate{}
	env.Sample(t, "certificate.yaml", "Certificate", certificate)
	for _, file := range []string{"issuer.yaml", "clusterissuer.yaml", "clusterissuer-shared.yaml",
		"clusterissuer-rrsa.yaml", "issuer-manual-dns.yaml"} {
		t.Run(file, func(t *testing.T) {
			given := struct{ Spec v1alpha1.ClusterIssuerSpec }{}
			env.Sample(t, file, "Issuer", &given)
			e := env.New(t, cassim.Options{})
			issuer := gen.Issuer(e.Namespace, e.Simulator.URL())
			issuer.Spec.Source = given.Spec.Source
			e.Create(issuer)
			template, err := pki.GenerateCSR(certificate)
			if err != nil {
				t.Fatal(err)
			}
			der, err := pki.EncodeCSR(template, rsaKey(2048))
			if err != nil {
				t.Fatal(err)
			}
			e.Create(gen.Request(e.Namespace, "www",
				pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), gen.OfCertificate))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			e.Until(time.Hour, isReady(e))
			issued, err := pki.DecodeX509CertificateBytes(e.Request("www").Status.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			//nolint:staticcheck // this is how cert-manager compares them
			if fields := pki.FuzzyX509AltNamesMatchSpec(issued, certificate.Spec); len(fields) > 0 {
				t.Errorf("%v of the sample differ from what was issued, which is for %v", fields, issued.DNSNames)
			}
		})
	}
}
