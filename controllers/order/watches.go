// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"maps"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/fairqueue"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/requests"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// AllIndexes returns the indexes by which Orders are found in the cache, including those of their sources.
func AllIndexes(sources source.Registry) map[string]client.IndexerFunc {
	all := sources.Indexes()
	maps.Copy(all, indexes)
	return all
}

// indexes are those by which Orders of every source are found.
var indexes = map[string]client.IndexerFunc{
	issuers.Index: indexed(func(order *v1alpha1.AliyunOrder) string {
		if order.Status.OrderID != "" { // what is ordered no longer needs its issuer
			return ""
		}
		return issuers.IndexValue(order.Namespace, order.Spec.IssuerRef)
	}),
	book.FieldBaseName: indexed(func(order *v1alpha1.AliyunOrder) string { return order.Spec.BaseName }),
	book.FieldOrderID:  indexed(func(order *v1alpha1.AliyunOrder) string { return order.Status.OrderID }),
	book.IndexRecord: func(o client.Object) (records []string) {
		for _, validation := range o.(*v1alpha1.AliyunOrder).Status.Validations {
			if validation.FQDN != "" {
				records = append(records, validation.FQDN)
			}
		}
		return records
	},
	// Only where something is still to be published: a zone may have had thousands.
	book.IndexZone: func(o client.Object) []string { return unpublished(o.(*v1alpha1.AliyunOrder)) },
}

func indexed(value func(*v1alpha1.AliyunOrder) string) client.IndexerFunc {
	return func(o client.Object) []string {
		if found := value(o.(*v1alpha1.AliyunOrder)); found != "" {
			return []string{found}
		}
		return nil
	}
}

// SetupWithManager lets Orders, their requests, and the issuers that they wait for wake the reconciler. The status of
// an Order wakes nobody: what comes next is a matter of time, or of what an operator says of it.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	list := func() client.ObjectList { return &v1alpha1.AliyunOrderList{} }
	return issuers.Watch(ctrl.NewControllerManagedBy(mgr), mgr.GetClient(), list, r.isListed).
		For(&v1alpha1.AliyunOrder{},
			builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, spoken()))).
		Watches(&cmapi.CertificateRequest{}, handler.EnqueueRequestsFromMapFunc(requests.OrderOf),
			builder.WithPredicates(requests.Ours())).
		WithOptions(fairqueue.Options()).
		Complete(r)
}

// Lets an update pass in which an operator has said something of the Order.
func spoken() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			word := e.ObjectNew.GetAnnotations()[v1alpha1.OrderIDAnnotation]
			return word != "" && word != e.ObjectOld.GetAnnotations()[v1alpha1.OrderIDAnnotation]
		},
	}
}
