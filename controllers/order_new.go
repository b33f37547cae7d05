// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// maxRequestName leaves room for the UID in the 253 characters that a name may have.
const maxRequestName = 253 - 9

// orderName is the name of a request's Order: it names the request for people, and by its UID for us, so that a
// request that is made again under the same name gets an Order of its own.
func orderName(request *cmapi.CertificateRequest) string {
	name := request.Name[:min(len(request.Name), maxRequestName)]
	return strings.TrimRight(name, "-.") + "-" + string(request.UID[:min(len(request.UID), 8)])
}

// newOrder is the record of what is about to be ordered, with a copy of what the issuer says now.
func newOrder(run *requestRun, clusterResourceNamespace string) *v1alpha1.AliyunOrder {
	request, spec := run.request, run.issuer.GetSpec().DeepCopy()
	secrets := request.Namespace
	if run.issuer.IssuerKind() == v1alpha1.AliyunClusterIssuerKind {
		secrets = clusterResourceNamespace
	}
	policy := v1alpha1.OrderPolicy{}
	if spec.Orders != nil {
		policy = *spec.Orders
	}
	return &v1alpha1.AliyunOrder{
		ObjectMeta: metav1.ObjectMeta{
			Name:      orderName(request),
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
			IssuerRef:       issuerReference(request),
			Request:         request.Spec.Request,
			CommonName:      run.asks.commonName,
			BaseName:        baseName(run.asks.commonName),
			DNSNames:        run.asks.dnsNames,
			SecretNamespace: secrets,
			Access:          spec.Access,
			Source:          spec.Source,
			Account:         spec.Account,
			Timeout:         policy.Timeout,
			OnDelete:        policy.OnDelete,
			Solver:          *run.solver,
		},
	}
}

func issuerReference(request *cmapi.CertificateRequest) v1alpha1.IssuerReference {
	return v1alpha1.IssuerReference{Kind: request.Spec.IssuerRef.Kind, Name: request.Spec.IssuerRef.Name}
}
