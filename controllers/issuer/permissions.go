// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Tries the other verbs that read, whatever they find. Which writing verbs are not permitted, it knows from Orders that
// were refused.
func (r *Reconciler) checkPermissions(ctx context.Context, issuer v1alpha1.GenericIssuer, checker source.Checker,
	supply error) finding {
	var actions []string
	for _, err := range append([]error{supply}, checker.Probe(ctx)...) {
		if call, ok := errors.AsType[*rpc.Error](err); ok && call.Kind == rpc.KindPermission {
			actions = append(actions, call.DeniedAction)
		}
	}
	if len(actions) > 0 {
		return bad(v1alpha1.ReasonPermissionDenied, fmt.Sprintf(
			"the RAM user or role lacks %s: allow it in a RAM policy (docs/security.md has one that suffices)",
			strings.Join(actions, ", ")))
	}
	if order := refusedOrder(r.ordersOf(ctx, issuer)); order != nil {
		return r.refusal(order)
	}
	return good("everything that was tried is permitted")
}

// Tells what an Order was refused. In an AliyunClusterIssuer, which all tenants that it serves can read, it names
// nothing of one tenant.
func (r *Reconciler) refusal(order *v1alpha1.AliyunOrder) finding {
	which := fmt.Sprintf("the AliyunOrder %q", order.Name)
	if r.Kind == v1alpha1.AliyunClusterIssuerKind {
		which = "an AliyunOrder that is held as PermissionDenied"
	}
	refused := orders.Refusal(order)
	why := orders.WithoutNextLook(refused.Message)
	switch isZones := order.Status.OrderID != ""; {
	case isZones && r.Kind == v1alpha1.AliyunClusterIssuerKind && refused.Type == v1alpha1.ConditionCleanedUp:
		return bad(v1alpha1.ReasonZoneRefused, "a finished AliyunOrder may not remove its validation record from "+
			"its zone, and its condition CleanedUp tells which that is. Others are not held by this")
	case isZones && r.Kind == v1alpha1.AliyunClusterIssuerKind:
		return bad(v1alpha1.ReasonZoneRefused, which+" may not publish in its zone, and its own conditions tell "+
			"which that is. Others are not held by this")
	case isZones:
		return bad(v1alpha1.ReasonZoneRefused, fmt.Sprintf("%s was refused: %s. Others are not held by this", which,
			why))
	default:
		return bad(v1alpha1.ReasonPermissionRefused, fmt.Sprintf("%s was refused: %s", which, why))
	}
}

// Returns all Orders of an issuer, for reading only, or none if they cannot be listed.
func (r *Reconciler) ordersOf(ctx context.Context, issuer v1alpha1.GenericIssuer) []*v1alpha1.AliyunOrder {
	list, ref := &v1alpha1.AliyunOrderList{}, v1alpha1.IssuerReference{Kind: r.Kind, Name: issuer.GetName()}
	if err := r.List(ctx, list, client.InNamespace(issuer.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var orders []*v1alpha1.AliyunOrder
	for i := range list.Items {
		if list.Items[i].Spec.IssuerRef == ref {
			orders = append(orders, &list.Items[i])
		}
	}
	return orders
}

// Returns an Order that was refused a permission which only an Order can find to be missing. Prefers one that may not
// order to one that may not publish in a zone, and that to one that may not remove what was published.
func refusedOrder(orders []*v1alpha1.AliyunOrder) *v1alpha1.AliyunOrder {
	removed := map[string]time.Time{} // when a record was removed from each zone last
	for _, order := range orders {
		for _, v := range order.Status.Validations {
			if v.CleanedUpAt != nil && v.CleanedUpAt.After(removed[v.Zone]) {
				removed[v.Zone] = v.CleanedUpAt.Time
			}
		}
	}
	var found *v1alpha1.AliyunOrder
	most := 0
	for _, order := range orders {
		if n := gravity(order, removed); n > most {
			found, most = order, n
		}
	}
	return found
}

// Returns 0 for an Order without a refusal, and a higher number the more its refusal keeps from going on. A refusal to
// remove a record is told, even after the removal was given up, until another record of the zone is removed.
func gravity(order *v1alpha1.AliyunOrder, removed map[string]time.Time) int {
	refused := orders.Refusal(order)
	switch {
	case refused == nil:
		return 0
	case refused.Type == v1alpha1.ConditionReady && order.Status.OrderID == "":
		return 3
	case refused.Type == v1alpha1.ConditionReady:
		return 2
	case !slices.ContainsFunc(order.Status.Validations, func(v v1alpha1.OrderValidation) bool {
		return v.CleanedUpAt == nil && !removed[v.Zone].After(refused.LastTransitionTime.Time)
	}):
		return 0
	default:
		return 1
	}
}
