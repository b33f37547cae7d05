// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"regexp"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestTheAdviceAboutNamesThatWereAddedWorksForEachOfThem does what the message says, step by step: the issuer first,
// then the Certificate. It ends with a certificate that is what its Certificate asks for, and so nothing more is said.
func TestTheAdviceAboutNamesThatWereAddedWorksForEachOfThem(t *testing.T) {
	advice := regexp.MustCompile(addedNames)
	for name, test := range map[string]struct{ product, commonName string }{
		"www":           {gen.Product, "x.example.com"},
		"of a wildcard": {"geotrust-dv-w-starter", "*.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			e := env.New(t, cassim.Options{})
			e.Simulator.SetPackage(test.product, 3, 0)
			issuer := gen.Issuer(e.Namespace, e.Simulator.URL())
			issuer.Spec.Source.ResourcePlan.ProductCode = test.product
			e.Create(issuer)
			ask := func(request string, names ...string) string {
				csr := gen.CSR(gen.Key(),
					func(c *x509.CertificateRequest) { c.Subject.CommonName, c.DNSNames = test.commonName, names })
				e.Create(gen.Request(e.Namespace, request, csr, gen.OfCertificate))
				e.Decide(request, cmapi.CertificateRequestConditionApproved)
				e.Settle()
				e.Until(time.Hour, func() bool { return len(e.Request(request).Status.Certificate) > 0 })
				return readyMessage(e, request)
			}
			first := ask("first", test.commonName)
			steps := advice.FindStringSubmatch(first)
			if steps == nil {
				t.Fatalf("no advice: %s", first)
			}
			if err := e.Client.Get(t.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
				t.Fatal(err)
			}
			issuer.Spec.Source.ResourcePlan.AdditionalNames = []v1alpha1.AdditionalName{
				v1alpha1.AdditionalName(steps[1])}
			if err := e.Client.Update(t.Context(), issuer); err != nil {
				t.Fatal(err)
			}
			if second := ask("second", test.commonName, steps[4]); strings.Contains(second, "added") {
				t.Errorf("the advice was of no use: %s", second)
			}
			if n := len(e.Simulator.Ledger()); n != 2 {
				t.Errorf("%d orders were billed, want two", n)
			}
		})
	}
}

func readyMessage(e *env.Env, request string) string {
	for _, c := range e.Request(request).Status.Conditions {
		if c.Type == cmapi.CertificateRequestConditionReady {
			return c.Message
		}
	}
	return ""
}
