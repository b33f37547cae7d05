// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// TestOnlyWhatIsSelectedIsAppliedWith has an account with instances that the issuer does not select. It selects none at
// first, and one that is bought afterwards.
func TestOnlyWhatIsSelectedIsAppliedWith(t *testing.T) {
	for name, test := range map[string]struct {
		by   v1alpha1.InstanceSelector
		with func(*cassim.NewInstance)
	}{
		"by type": {v1alpha1.InstanceSelector{Type: v1alpha1.InstanceTest},
			func(i *cassim.NewInstance) { i.Type = cassim.InstanceTest }},
		"by brand": {v1alpha1.InstanceSelector{Brands: []string{"GeoTrust", "alibaba"}},
			func(i *cassim.NewInstance) { i.Brand = "Alibaba" }},
		"by specification": {v1alpha1.InstanceSelector{Specs: []string{"alibaba.dv.f"}},
			func(i *cassim.NewInstance) { i.Spec = "alibaba.dv.f" }},
		"by resource group": {v1alpha1.InstanceSelector{ResourceGroupID: "rg-web"},
			func(i *cassim.NewInstance) { i.ResourceGroup = "rg-web" }},
		"by name": {v1alpha1.InstanceSelector{NamePrefix: "web-"},
			func(i *cassim.NewInstance) { i.Name = "web-1" }},
		"by tags": {v1alpha1.InstanceSelector{Tags: []v1alpha1.InstanceTag{{Key: "team", Value: "web"}}},
			func(i *cassim.NewInstance) { i.Tags = map[string]string{"team": "web", "cost": "1"} }},
	} {
		t.Run(name, func(t *testing.T) {
			e, ids := withInstances(t, cassim.Options{}, 2)
			changeInstance(e, func(i *v1alpha1.Instance) { i.Selector = test.by })
			ask(e, "www", "www")
			e.Pass(20 * time.Minute)
			if ready := readyOf(e); ready.Reason != v1alpha1.ReasonNoInstance {
				t.Errorf("the issuer says %+v", ready)
			}
			wanted := cassim.NewInstance{Type: cassim.InstanceBought, SingleNames: 1}
			test.with(&wanted)
			id := e.Simulator.AddInstance(wanted) // the message says to buy one
			e.Until(time.Hour, isReady(e))
			if got := onlyOrder(t, e).Status.OrderID; got != id {
				t.Errorf("it is applied with %s, want %s of %v", got, id, ids)
			}
			e.Pass(10 * time.Minute)
			wantApplications(e, "issued")
			seen, _ := e.Simulator.Instance(id)
			for key, value := range wanted.Tags {
				if seen.Tags[key] != value {
					t.Errorf("the instance has lost its tags: %v", seen.Tags)
				}
			}
		})
	}
}

// TestTheSupplyOfAnIssuerTellsHowLongItLasts reads the numbers of an issuer with one free instance, and one in use.
func TestTheSupplyOfAnIssuerTellsHowLongItLasts(t *testing.T) {
	e, ids := withInstances(t, cassim.Options{}, 2)
	ask(e, "www", "www")
	e.Until(time.Hour, isReady(e))
	e.Pass(30 * time.Minute)
	supply := theIssuer(e).Status.Supply
	if supply.Total != 2 || supply.Free != 1 || supply.InUse != 1 || supply.Issued != 1 || *supply.EndingSoon != 0 ||
		supply.SoonestEnd == nil || supply.SoonestEnd.Sub(e.Clock.Now()) < 300*day {
		t.Errorf("the supply is %+v", supply)
	}
	e.Simulator.SetInstanceStatus(ids[1], "willExpire")
	e.Pass(30 * time.Minute)
	if supply := theIssuer(e).Status.Supply; *supply.EndingSoon != 1 {
		t.Errorf("the supply is %+v", supply)
	}
	if message := readyOf(e).Message; strings.Contains(message, ids[0]) {
		t.Errorf("the issuer names an instance: %s", message)
	}
}
