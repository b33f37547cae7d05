// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestARequestWithoutACommonNameIsTriedWhereTheIssuerSaysSo makes such a request where CAS takes it and where it does
// not, and then does what the refusals advise.
func TestARequestWithoutACommonNameIsTriedWhereTheIssuerSaysSo(t *testing.T) {
	for name, test := range map[string]struct {
		policy   v1alpha1.CommonNamePolicy
		cas      string
		isIssued bool
		says     string
	}{
		"by default":          {"", cassim.CNOptional, false, "the request has none"},
		"the issuer says not": {v1alpha1.CommonNameRequired, cassim.CNOptional, false, "the request has none"},
		"CAS takes it":        {v1alpha1.CommonNameOptional, cassim.CNOptional, true, ""},
		"CAS does not":        {v1alpha1.CommonNameOptional, cassim.CNRequired, false, "CAS refuses the signing request"},
	} {
		t.Run(name, func(t *testing.T) {
			options := cassim.Options{}
			options.Knobs.InstanceCN = test.cas
			e, _ := withInstances(t, options, 2)
			issuer := issuerOf(e)
			issuer.Spec.Source.Instance.CommonName = test.policy
			if err := e.Client.Update(t.Context(), issuer); err != nil {
				t.Fatal(err)
			}
			e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), func(c *x509.CertificateRequest) {
				c.Subject, c.DNSNames = pkix.Name{}, []string{"www." + cassim.DefaultZone}
			})))
			e.Decide("www", cmapi.CertificateRequestConditionApproved)
			if test.isIssued {
				e.Until(time.Hour, isReady(e))
				wantApplications(e, "issued")
				return
			}
			e.Until(time.Hour, func() bool {
				return cmutil.CertificateRequestReadyReason(e.Request("www")) == cmapi.CertificateRequestReasonFailed
			})
			ready := cmutil.GetCertificateRequestCondition(e.Request("www"), cmapi.CertificateRequestConditionReady)
			if !strings.Contains(ready.Message, test.says) ||
				!strings.Contains(ready.Message, "common name") {
				t.Errorf("it says %s", ready.Message)
			}
			wantApplications(e)
			// It says to set a common name, and nothing is used up.
			ask(e, "again", "www")
			e.Until(time.Hour, isIssued(e, "again"))
			wantApplications(e, "issued")
		})
	}
}
