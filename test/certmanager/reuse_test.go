// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// TestRequestsThatAreDeletedCostNothing does what advice about a certificate that is not ready begins with. The CA has
// added a name, so that cert-manager takes the Secret for outdated once the request is gone.
func TestRequestsThatAreDeletedCostNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newCluster(t))
	w.startManager()
	certificate := w.certificate(www)
	certificate.Spec.PrivateKey = &cmapi.CertificatePrivateKey{RotationPolicy: cmapi.RotationPolicyNever,
		Algorithm: cmapi.ECDSAKeyAlgorithm}
	w.Create(certificate)
	w.untilIssued(www, 1)
	id := w.untilOrdered(www).Status.OrderID
	if err := w.Client.DeleteAllOf(t.Context(), &cmapi.CertificateRequest{},
		client.InNamespace(w.Namespace)); err != nil {
		t.Fatal(err)
	}
	w.untilIssued(www, 2)
	w.untilOrder(www, "the certificate is delivered again", func(o v1alpha1.AliyunOrder) bool {
		return o.Status.ReusedOrderID == id
	})
	w.bought(www, 1)
}

// TestAKeyThatIsKeptIsToldAndRotated renews with an RSA key that is kept, and follows the message.
func TestAKeyThatIsKeptIsToldAndRotated(t *testing.T) {
	t.Parallel()
	w := commonWorld(t, func(i *v1alpha1.AliyunIssuer) {
		i.Spec.Orders = &v1alpha1.OrderPolicy{Reuse: v1alpha1.ReuseDisabled}
	})
	certificate := w.certificate(www)
	certificate.Spec.PrivateKey = &cmapi.CertificatePrivateKey{RotationPolicy: cmapi.RotationPolicyNever,
		Algorithm: cmapi.RSAKeyAlgorithm}
	w.Create(certificate)
	w.untilIssued(www, 1)
	w.renew(certificate)
	request := gen.Request(w.Namespace, www+"-2", nil)
	w.until("the request of the renewal has failed", &cmapi.CertificateRequestList{}, func() bool {
		return w.get(request) && cmutil.CertificateRequestReadyReason(request) == cmapi.CertificateRequestReasonFailed
	})
	if told := cmutil.GetCertificateRequestCondition(
		request, cmapi.CertificateRequestConditionReady).Message; !strings.Contains(
		told, "rotationPolicy of the Certificate to Always") || !strings.Contains(told, "cmctl renew") {
		t.Errorf("the request says %q", told)
	}
	w.bought(www, 1)
	w.until("cert-manager has given the renewal up", &cmapi.CertificateList{}, func() bool {
		return w.get(certificate) && certificate.Status.LastFailureTime != nil
	})
	// cert-manager tells attempts apart by whole seconds
	time.Sleep(time.Until(request.Status.FailureTime.Add(time.Second)))
	w.edit(certificate, func() { certificate.Spec.PrivateKey.RotationPolicy = cmapi.RotationPolicyAlways })
	w.renew(certificate)
	w.untilIssued(www, 2)
	w.bought(www, 2)
}

// renew does what cmctl renew does.
func (w *world) renew(certificate *cmapi.Certificate) {
	w.T.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if !w.get(certificate) {
			w.T.Fatalf("there is no Certificate %s", certificate.Name)
		}
		cmutil.SetCertificateCondition(certificate, certificate.Generation, cmapi.CertificateConditionIssuing,
			cmmeta.ConditionTrue, "ManuallyTriggered", "Certificate re-issuance manually triggered")
		return w.Client.Status().Update(w.T.Context(), certificate)
	})
	if err != nil {
		w.T.Fatal(err)
	}
}
