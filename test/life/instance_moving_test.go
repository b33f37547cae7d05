// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// TestAnIssuerMovesOnFromAPlan does what docs/instances.md says: the source is changed while an order of the plan is
// under way, which is finished there, and the next one is applied for with an instance.
func TestAnIssuerMovesOnFromAPlan(t *testing.T) {
	options := cassim.Options{DCVDelay: 20 * time.Minute}
	options.Knobs.InstanceDNS = cassim.Off
	e := ordered(t, options)
	e.Pass(2 * time.Minute)
	id := e.Simulator.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1})
	issuer := theIssuer(e)
	issuer.Spec.Source = v1alpha1.Source{Instance: &v1alpha1.Instance{
		Selector: v1alpha1.InstanceSelector{Type: v1alpha1.InstanceBought}, ContactIDs: []string{"86400001"}}}
	issuer.Spec.Orders = &v1alpha1.OrderPolicy{Reserve: new(intstr.FromInt32(0))}
	issuer.Spec.Contact, issuer.Spec.ContactSecretRef = nil, nil
	if err := e.Client.Update(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	e.Until(3*time.Hour, isReady(e))
	if order := orderOf(e, "www"); order.Spec.Source.ResourcePlan == nil || order.Status.OrderID == id {
		t.Errorf("the order of the plan has become %+v", order.Status)
	}
	ask(e, "shop", "shop")
	e.Until(3*time.Hour, isIssued(e, "shop"))
	if order := orderOf(e, "shop"); order.Status.OrderID != id {
		t.Errorf("the next order is %s", order.Status.OrderID)
	}
	e.Pass(10 * time.Minute)
	billed(t, e, 1)
	wantApplications(e, "issued")
}
