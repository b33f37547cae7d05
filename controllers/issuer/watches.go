// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/fairqueue"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// SetupWithManager starts the reconciler for issuers of its kind, and for their Orders: these find out what an issuer
// may not do.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(issuers.New(r.Kind), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.AliyunOrder{}, handler.EnqueueRequestsFromMapFunc(r.issuerOf),
			builder.WithPredicates(obstacleChanged())).
		WithOptions(fairqueue.Options()).
		Complete(r)
}

func (r *Reconciler) issuerOf(_ context.Context, o client.Object) []reconcile.Request {
	ref := o.(*v1alpha1.AliyunOrder).Spec.IssuerRef
	if ref.Kind != r.Kind {
		return nil
	}
	return []reconcile.Request{{NamespacedName: issuers.Key(o.GetNamespace(), ref)}}
}

// Lets an Order wake its issuer when the Order begins or ceases to lack a permission, or to be held for a reason whose
// end a check of the issuer shows.
func obstacleChanged() predicate.Predicate {
	obstacleOf := func(o client.Object) (isRefused bool, held string) {
		order := o.(*v1alpha1.AliyunOrder)
		return orders.Refusal(order) != nil, orders.ShownByCheck(order)
	}
	hasOne := func(o client.Object) bool {
		isRefused, held := obstacleOf(o)
		return isRefused || held != ""
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return hasOne(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			wasRefused, was := obstacleOf(e.ObjectOld)
			isRefused, is := obstacleOf(e.ObjectNew)
			return wasRefused != isRefused || was != is
		},
		DeleteFunc: func(e event.DeleteEvent) bool { return hasOne(e.Object) },
	}
}
