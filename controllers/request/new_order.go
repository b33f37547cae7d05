// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/requests"
)

// newOrder is the record of what is about to be ordered, with a copy of what the issuer says now.
func newOrder(run *requestRun, clusterResourceNamespace string) *v1alpha1.AliyunOrder {
	request, spec := run.request, run.issuer.GetSpec().DeepCopy()
	policy := v1alpha1.OrderPolicy{}
	if spec.Orders != nil {
		policy = *spec.Orders
	}
	return &v1alpha1.AliyunOrder{
		ObjectMeta: metav1.ObjectMeta{
			Name:      requests.OrderName(request),
			Namespace: request.Namespace,
			// A restored copy of this record could be taken for an order that was never made.
			Labels:     map[string]string{"velero.io/exclude-from-backup": "true"},
			Finalizers: []string{v1alpha1.OrderFinalizer},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: cmapi.SchemeGroupVersion.String(),
				Kind:       cmapi.CertificateRequestKind,
				Name:       request.Name,
				UID:        request.UID,
				Controller: new(true),
				// The release takes time, and nobody's deletion should wait for it.
				BlockOwnerDeletion: new(false),
			}},
		},
		Spec: v1alpha1.OrderSpec{
			RequestRef:      v1alpha1.RequestReference{Name: request.Name, UID: request.UID},
			IssuerRef:       requests.IssuerReference(request),
			Request:         request.Spec.Request,
			CommonName:      run.asks.CommonName,
			BaseName:        orders.BaseName(run.asks.CommonName),
			DNSNames:        run.asks.DNSNames,
			SecretNamespace: access.OfIssuer(run.issuer, clusterResourceNamespace).Namespace,
			Access:          spec.Access,
			Source:          spec.Source,
			Account:         spec.Account,
			Timeout:         policy.Timeout,
			OnDelete:        policy.OnDelete,
			Solvers:         run.solvers,
		},
	}
}
