// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuers

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Index is the index by which objects that wait for an issuer are found: by kind, namespace and name.
const Index = "issuer"

// Watch lets an issuer wake the objects of one kind that wait for it. list makes an empty list of that kind, which is
// read from the client. With isListed, no AliyunClusterIssuer is watched: it belongs to no namespace, and an
// installation for listed namespaces has none.
func Watch(to *ctrl.Builder, from client.Reader, list func() client.ObjectList, isListed bool) *ctrl.Builder {
	waiting := handler.EnqueueRequestsFromMapFunc(waitingFor(from, list))
	to = to.Watches(&v1alpha1.AliyunIssuer{}, waiting, builder.WithPredicates(readinessChanged()))
	if isListed {
		return to
	}
	return to.Watches(&v1alpha1.AliyunClusterIssuer{}, waiting, builder.WithPredicates(readinessChanged()))
}

// waitingFor finds what names an issuer in its issuerRef.
func waitingFor(from client.Reader, list func() client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, o client.Object) []reconcile.Request {
		issuer := o.(v1alpha1.GenericIssuer)
		found := list()
		ref := v1alpha1.IssuerReference{Kind: issuer.IssuerKind(), Name: issuer.GetName()}
		if err := from.List(ctx, found,
			client.MatchingFields{Index: IndexValue(issuer.GetNamespace(), ref)}); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "what waits for an issuer could not be found", "issuer", issuer.GetName())
			return nil
		}
		var requests []reconcile.Request
		_ = meta.EachListItem(found, func(item runtime.Object) error {
			requests = append(requests,
				reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
			return nil
		})
		return requests
	}
}

// Lets an issuer wake others only after a change that may help them: its numbers change at every check.
func readinessChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(v1alpha1.GenericIssuer), e.ObjectNew.(v1alpha1.GenericIssuer)
			hasMore := Free(after) > Free(before)
			return hasMore || WhyNotReady(before) != WhyNotReady(after) ||
				before.GetSpec().IsPaused() != after.GetSpec().IsPaused()
		},
	}
}

// Free returns how many certificates the source of an issuer has left by the numbers that were read last, or zero.
func Free(issuer v1alpha1.GenericIssuer) int64 {
	if supply := issuer.GetStatus().Supply; supply != nil {
		return supply.Free
	}
	return 0
}
