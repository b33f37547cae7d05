// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"fmt"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	corev1 "k8s.io/api/core/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
)

// Tells in events which wishes of a request CAS cannot be asked for, or does not heed. They are no reason to refuse the
// request.
func (r *Reconciler) wishes(request *cmapi.CertificateRequest, asks csr.Asks) {
	if names := csr.Respelled(request.Spec.Request, asks.DNSNames); len(names) > 0 {
		message := fmt.Sprintf("CAs write names in lower case, and so the certificate spells %s in another way",
			csr.Listed(names))
		if !asks.IsBare {
			message = fmt.Sprintf("CAs write names in lower case, and cert-manager compares them as they are "+
				"written: write %s in lower case in the Certificate, "+
				"or it is ordered again once this request is gone", csr.Listed(names))
		}
		r.Recorder.Eventf(request, nil, corev1.EventTypeWarning, v1alpha1.ReasonNamesRespelled, "Order", "%s",
			apiserver.Bounded(message, 1024))
	}
	if request.Spec.Duration != nil {
		r.Recorder.Eventf(request, nil, corev1.EventTypeNormal, "DurationNotHonoured", "Order",
			"CAS decides how long the certificate lives: the duration %s cannot be asked for",
			request.Spec.Duration.Duration)
	}
	parsed, err := pki.DecodeX509CertificateRequestBytes(request.Spec.Request)
	if err != nil {
		return // nothing is ordered for it
	}
	if unusual := csr.UnusualUsages(request, parsed); len(unusual) > 0 {
		r.Recorder.Eventf(request, nil, corev1.EventTypeNormal, "UsagesNotHonoured", "Order",
			"CAS decides on the key usages of the certificate: %s cannot be asked for", csr.Quoted(unusual))
	}
	if attributes := csr.SubjectBeyond(parsed); len(attributes) > 0 {
		r.Recorder.Eventf(request, nil, corev1.EventTypeNormal, "SubjectNotHonoured", "Order",
			"the subject of a DV certificate has nothing but the common name: %s cannot be asked for",
			csr.Listed(attributes))
	}
	if extensions := csr.ExtensionsBeyond(parsed); len(extensions) > 0 {
		r.Recorder.Eventf(request, nil, corev1.EventTypeNormal, "ExtensionsNotHonoured", "Order",
			"CAS decides on the extensions of the certificate: %s cannot be asked for", csr.Listed(extensions))
	}
}
