// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"reflect"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/fairqueue"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/requests"
)

// SetupWithManager starts the reconciler for requests, for their Orders, and for the issuers that they wait for.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	list := func() client.ObjectList { return &cmapi.CertificateRequestList{} }
	return issuers.Watch(ctrl.NewControllerManagedBy(mgr), mgr.GetClient(), list, r.Listed).
		For(&cmapi.CertificateRequest{}, builder.WithPredicates(requests.Ours())).
		Owns(&v1alpha1.AliyunOrder{}, builder.WithPredicates(mirrorChanged())).
		WithOptions(fairqueue.Options()).
		Complete(r)
}

// Lets an Order wake its request only if the request would be told something else: an Order is written far more often
// than it has news for its request.
func mirrorChanged() predicate.Predicate {
	seen := func(o client.Object) *report {
		order := o.(*v1alpha1.AliyunOrder)
		return mirror(order, &cmapi.CertificateRequest{ObjectMeta: metav1.ObjectMeta{UID: order.Spec.RequestRef.UID}})
	}
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return !reflect.DeepEqual(seen(e.ObjectOld), seen(e.ObjectNew)) },
	}
}
