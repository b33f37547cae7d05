// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
)

// TestWhatAClientTakesForAnIDCanBeWritten lets no id be known and lost because the API server refuses it.
func TestWhatAClientTakesForAnIDCanBeWritten(t *testing.T) {
	kube, namespace := cluster(t)
	made := good(t, "AliyunOrder", namespace)
	if err := kube.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	order := &v1alpha1.AliyunOrder{}
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(made), order); err != nil {
		t.Fatal(err)
	}
	for field, write := range map[string]func(*v1alpha1.OrderStatus, string){
		"orderID":          func(s *v1alpha1.OrderStatus, id string) { s.OrderID = id },
		"reusedOrderID":    func(s *v1alpha1.OrderStatus, id string) { s.ReusedOrderID = id },
		"excludedOrderIDs": func(s *v1alpha1.OrderStatus, id string) { s.ExcludedOrderIDs = []string{id} },
	} {
		for id, want := range map[string]struct{ isOfPlan, isOfInstance bool }{
			"1":                      {true, true},
			"98987582437920968":      {true, true},
			"9223372036854775807":    {true, true},
			"92233720368547758070":   {false, true},
			"cas_dv-cn-0123456789a":  {false, true},
			"cas-cn-4XX_Y.z":         {false, true},
			strings.Repeat("a", 64):  {false, true},
			strings.Repeat("a", 65):  {},
			strings.Repeat("ä", 32):  {},
			"cas_dv-cn-0123 456789a": {},
			"cas/dv":                 {},
			"7,8":                    {},
			"7\n":                    {},
		} {
			_, isOfPlan := cas.ParseOrderID(id)
			_, isOfInstance := instance.ParseID(id)
			if isOfPlan != want.isOfPlan || isOfInstance != want.isOfInstance {
				t.Errorf("%q is an id of a plan's order: %t, of an instance: %t", id, isOfPlan, isOfInstance)
			}
			changed := order.DeepCopy()
			write(&changed.Status, id)
			err := kube.Status().Update(t.Context(), changed, client.DryRunAll)
			isPlain := field == "excludedOrderIDs" // what was an orderID once is held to its length only
			switch isTaken := isOfPlan || isOfInstance; {
			case isTaken && err != nil:
				t.Errorf("%s %q is refused: %v", field, id, err)
			case !isTaken && !isPlain && err == nil:
				t.Errorf("%s %q is accepted", field, id)
			}
		}
	}
}
