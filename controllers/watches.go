// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// issuerIndex finds what waits for an issuer, by kind, namespace and name.
const issuerIndex = "issuer"

func indexValue(namespace string, ref v1alpha1.IssuerReference) string {
	return ref.Kind + " " + issuerKey(namespace, ref).String()
}

// SetupIndexes makes the manager's cache find requests and orders by their issuer. It is called once, before any
// SetupWithManager.
func SetupIndexes(ctx context.Context, mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &cmapi.CertificateRequest{}, issuerIndex, func(o client.Object) []string {
		request := o.(*cmapi.CertificateRequest)
		if request.Spec.IssuerRef.Group != v1alpha1.Group || isFinished(request) {
			return nil
		}
		return []string{indexValue(request.Namespace, issuerReference(request))}
	})
	if err != nil {
		return err
	}
	for field, index := range orderIndexes {
		if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.AliyunOrder{}, field, index); err != nil {
			return err
		}
	}
	return nil
}

// orderIndexes are what Orders are found by in the cache.
var orderIndexes = map[string]client.IndexerFunc{
	issuerIndex: indexed(func(order *v1alpha1.AliyunOrder) string {
		if order.Status.OrderID != "" { // what is ordered no longer needs its issuer
			return ""
		}
		return indexValue(order.Namespace, order.Spec.IssuerRef)
	}),
	fieldBaseName: indexed(func(order *v1alpha1.AliyunOrder) string { return order.Spec.BaseName }),
	fieldProductCode: indexed(func(order *v1alpha1.AliyunOrder) string {
		if order.Spec.Source.ResourcePlan == nil {
			return ""
		}
		return order.Spec.Source.ResourcePlan.ProductCode
	}),
	fieldOrderID: indexed(func(order *v1alpha1.AliyunOrder) string { return order.Status.OrderID }),
	fieldRecord: indexed(func(order *v1alpha1.AliyunOrder) string {
		if order.Status.Validation == nil {
			return ""
		}
		return order.Status.Validation.FQDN
	}),
}

func indexed(value func(*v1alpha1.AliyunOrder) string) client.IndexerFunc {
	return func(o client.Object) []string {
		if found := value(o.(*v1alpha1.AliyunOrder)); found != "" {
			return []string{found}
		}
		return nil
	}
}

func options() controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		NewQueue:                newFairQueue,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, 5*time.Minute),
	}
}

// SetupWithManager starts the reconciler for requests, for their Orders, and for the issuers that they wait for.
func (r *CertificateRequestReconciler) SetupWithManager(mgr ctrl.Manager) error {
	waiting := handler.EnqueueRequestsFromMapFunc(waitingFor(mgr.GetClient(), func() client.ObjectList { return &cmapi.CertificateRequestList{} }))
	return watchIssuers(ctrl.NewControllerManagedBy(mgr), waiting, r.Listed).
		For(&cmapi.CertificateRequest{}, builder.WithPredicates(ours())).
		Owns(&v1alpha1.AliyunOrder{}).
		WithOptions(options()).
		Complete(r)
}

// SetupWithManager starts the reconciler for Orders, for their requests, and for the issuers that they wait for. An
// Order's own status wakes nobody: what comes next is a matter of time, or of what an operator says of it.
func (r *OrderReconciler) SetupWithManager(mgr ctrl.Manager) error {
	waiting := handler.EnqueueRequestsFromMapFunc(waitingFor(mgr.GetClient(), func() client.ObjectList { return &v1alpha1.AliyunOrderList{} }))
	return watchIssuers(ctrl.NewControllerManagedBy(mgr), waiting, r.Listed).
		For(&v1alpha1.AliyunOrder{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, spoken()))).
		Watches(&cmapi.CertificateRequest{}, handler.EnqueueRequestsFromMapFunc(orderOf), builder.WithPredicates(ours())).
		WithOptions(options()).
		Complete(r)
}

// watchIssuers wakes what waits for an issuer.
func watchIssuers(to *ctrl.Builder, waiting handler.EventHandler, isListed bool) *ctrl.Builder {
	to = to.Watches(&v1alpha1.AliyunIssuer{}, waiting, builder.WithPredicates(readinessChanged()))
	if isListed {
		return to // an AliyunClusterIssuer belongs to no namespace
	}
	return to.Watches(&v1alpha1.AliyunClusterIssuer{}, waiting, builder.WithPredicates(readinessChanged()))
}

// SetupWithManager starts the reconciler for issuers of its kind, and for their Orders: these find out what an issuer
// may not do.
func (r *IssuerReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(newIssuer(r.Kind), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.AliyunOrder{}, handler.EnqueueRequestsFromMapFunc(r.issuerOf), builder.WithPredicates(refusalChanged())).
		WithOptions(options()).
		Complete(r)
}

// spoken lets an Order pass of which an operator has said something.
func spoken() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			word := e.ObjectNew.GetAnnotations()[v1alpha1.OrderIDAnnotation]
			return word != "" && word != e.ObjectOld.GetAnnotations()[v1alpha1.OrderIDAnnotation]
		},
	}
}

// ours lets requests for issuers of our group pass.
func ours() predicate.Predicate {
	return predicate.NewPredicateFuncs(func(o client.Object) bool {
		return o.(*cmapi.CertificateRequest).Spec.IssuerRef.Group == v1alpha1.Group
	})
}

func (r *IssuerReconciler) issuerOf(_ context.Context, o client.Object) []reconcile.Request {
	ref := o.(*v1alpha1.AliyunOrder).Spec.IssuerRef
	if ref.Kind != r.Kind {
		return nil
	}
	return []reconcile.Request{{NamespacedName: issuerKey(o.GetNamespace(), ref)}}
}

// refusalChanged lets an Order wake its issuer when it meets with a permission that is missing, or does no longer.
func refusalChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return isRefused(e.Object.(*v1alpha1.AliyunOrder)) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return isRefused(e.ObjectOld.(*v1alpha1.AliyunOrder)) != isRefused(e.ObjectNew.(*v1alpha1.AliyunOrder))
		},
		DeleteFunc: func(e event.DeleteEvent) bool { return isRefused(e.Object.(*v1alpha1.AliyunOrder)) },
	}
}

func orderOf(_ context.Context, o client.Object) []reconcile.Request {
	request := o.(*cmapi.CertificateRequest)
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: request.Namespace, Name: orderName(request)}}}
}

// waitingFor finds what names an issuer in its issuerRef.
func waitingFor(from client.Reader, list func() client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, o client.Object) []reconcile.Request {
		issuer := o.(v1alpha1.GenericIssuer)
		found := list()
		ref := v1alpha1.IssuerReference{Kind: issuer.IssuerKind(), Name: issuer.GetName()}
		if err := from.List(ctx, found, client.MatchingFields{issuerIndex: indexValue(issuer.GetNamespace(), ref)}); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "what waits for an issuer could not be found", "issuer", issuer.GetName())
			return nil
		}
		var requests []reconcile.Request
		_ = meta.EachListItem(found, func(item runtime.Object) error {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
			return nil
		})
		return requests
	}
}

// readinessChanged lets an issuer wake others only where that may help them: its numbers change at every check.
func readinessChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(v1alpha1.GenericIssuer), e.ObjectNew.(v1alpha1.GenericIssuer)
			return issuerNotReady(before) != issuerNotReady(after) || isPaused(before).kind != isPaused(after).kind
		},
	}
}
