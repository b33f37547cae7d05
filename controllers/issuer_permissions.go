// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// probedKeyword is in no domain, and probedOrder is no order: what is asked for with them finds nothing.
const (
	probedKeyword = "permission-probe.invalid"
	probedOrder   = cas.OrderID("1")
)

// checkPermissions tries the other verbs that read, whatever they find. Of those that change something it knows what
// orders have met with.
func (r *IssuerReconciler) checkPermissions(ctx context.Context, issuer v1alpha1.GenericIssuer, calls *cas.Client, plan error) finding {
	var listed, described error
	var asking sync.WaitGroup
	asking.Go(func() { _, listed = calls.List(ctx, cas.ListQuery{Keyword: probedKeyword}) })
	asking.Go(func() { _, described = calls.Describe(ctx, probedOrder) })
	asking.Wait()
	var actions []string
	for _, err := range []error{plan, listed, described} {
		if call, ok := errors.AsType[*cas.Error](err); ok && call.Kind == cas.KindPermission {
			actions = append(actions, call.DeniedAction)
		}
	}
	if len(actions) > 0 {
		return bad(v1alpha1.ReasonPermissionDenied, fmt.Sprintf(
			"the RAM user or role lacks %s: allow it in a RAM policy (docs/security.md has one that suffices)", strings.Join(actions, ", ")))
	}
	if order := r.refusedOrder(ctx, issuer); order != nil {
		return r.refusal(order)
	}
	return good("everything that was tried is permitted")
}

// refusal tells what an Order met with. An AliyunClusterIssuer is read by all whom it serves: it names nothing that is
// another tenant's.
func (r *IssuerReconciler) refusal(order *v1alpha1.AliyunOrder) finding {
	which := fmt.Sprintf("the AliyunOrder %q", order.Name)
	what := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady).Message
	if r.Kind == v1alpha1.AliyunClusterIssuerKind {
		which = "an AliyunOrder that is held as PermissionDenied"
	}
	switch isZones := order.Status.OrderID != ""; {
	case isZones && r.Kind == v1alpha1.AliyunClusterIssuerKind:
		return bad(v1alpha1.ReasonZoneRefused, which+" may not publish in its zone, and its own conditions tell which that is. Others are not held by this")
	case isZones:
		return bad(v1alpha1.ReasonZoneRefused, fmt.Sprintf("%s was refused: %s. Others are not held by this", which, what))
	default:
		return bad(v1alpha1.ReasonPermissionRefused, fmt.Sprintf("%s was refused: %s", which, what))
	}
}

// refusedOrder is an Order that waits for a permission that only an order could find to be missing: to order, if there is
// one of those, or else to publish in a zone.
func (r *IssuerReconciler) refusedOrder(ctx context.Context, issuer v1alpha1.GenericIssuer) *v1alpha1.AliyunOrder {
	orders, ref := &v1alpha1.AliyunOrderList{}, v1alpha1.IssuerReference{Kind: r.Kind, Name: issuer.GetName()}
	if err := r.List(ctx, orders, client.InNamespace(issuer.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var found *v1alpha1.AliyunOrder
	for i := range orders.Items {
		order := &orders.Items[i]
		if order.Spec.IssuerRef == ref && isRefused(order) && (found == nil || order.Status.OrderID == "") {
			found = order
		}
	}
	return found
}

func isRefused(order *v1alpha1.AliyunOrder) bool {
	ready := meta.FindStatusCondition(order.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonPermissionDenied
}
