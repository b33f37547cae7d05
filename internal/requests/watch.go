// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"context"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Ours lets requests for issuers of our group pass.
func Ours() predicate.Predicate {
	return predicate.NewPredicateFuncs(func(o client.Object) bool {
		return o.(*cmapi.CertificateRequest).Spec.IssuerRef.Group == v1alpha1.Group
	})
}

// OrderOf wakes the Order of a request.
func OrderOf(_ context.Context, o client.Object) []reconcile.Request {
	request := o.(*cmapi.CertificateRequest)
	return []reconcile.Request{
		{NamespacedName: types.NamespacedName{Namespace: request.Namespace, Name: OrderName(request)}}}
}
