// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
)

func TestARivalIsAnOrderInDoubtForTheSame(t *testing.T) {
	in := func(product, accountID string, change func(*v1alpha1.OrderStatus)) v1alpha1.AliyunOrder {
		order := v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: "other"}}
		order.Spec.CommonName = product // isAlike below compares it
		order.Status.AccountID = accountID
		order.Status.Submission = &v1alpha1.OrderSubmission{}
		change(&order.Status)
		return order
	}
	asIs := func(*v1alpha1.OrderStatus) {}
	for name, test := range map[string]struct {
		other v1alpha1.AliyunOrder
		want  bool
	}{
		"in doubt":            {in("p", "1", asIs), true},
		"of another account":  {in("p", "2", asIs), false},
		"for another product": {in("q", "1", asIs), false},
		"with an id":          {in("p", "1", func(s *v1alpha1.OrderStatus) { s.OrderID = "7" }), false},
		"handed over":         {in("p", "1", func(s *v1alpha1.OrderStatus) { s.HandedOverTo = "heir" }), false},
		"not submitted":       {in("p", "1", func(s *v1alpha1.OrderStatus) { s.Submission = nil }), false},
	} {
		page := &Page{self: Account{realm: access.Realm(v1alpha1.Access{}), id: "1"},
			orders: []v1alpha1.AliyunOrder{test.other}}
		isAlike := func(o *v1alpha1.AliyunOrder) bool { return o.Spec.CommonName == "p" }
		if got := page.HasRival(isAlike); got != test.want {
			t.Errorf("%s: it is a rival: %t", name, got)
		}
	}
}

// shelf serves Orders by field as the API server does, and counts what it has served.
type shelf struct {
	client.Reader
	byField map[string]map[string][]v1alpha1.AliyunOrder
	served  int
	others  int
}

func (s *shelf) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	all := (&client.ListOptions{}).ApplyOptions(options)
	orders := list.(*v1alpha1.AliyunOrderList)
	if all.FieldSelector == nil {
		s.others++
		return nil
	}
	for _, need := range all.FieldSelector.Requirements() {
		for i := range s.byField[need.Field][need.Value] {
			orders.Items = append(orders.Items, *s.byField[need.Field][need.Value][i].DeepCopy())
		}
	}
	s.served += len(orders.Items)
	return nil
}

// TestTheBookReadsAHandfulOfTenThousandOrders bounds what one purchase reads and allocates, however many Orders there
// are.
func TestTheBookReadsAHandfulOfTenThousandOrders(t *testing.T) {
	s := &shelf{byField: map[string]map[string][]v1alpha1.AliyunOrder{FieldBaseName: {}, FieldOrderID: {}}}
	for i := range 10000 {
		order := v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: types.UID(fmt.Sprint(i))}}
		order.Spec.BaseName = fmt.Sprintf("host%d.example.com", i/2)
		order.Spec.Request, order.Status.Certificate = make([]byte, 1700), make([]byte, 5600)
		order.Status.OrderID, order.Status.OrderIDBasis = fmt.Sprint(1000+i), v1alpha1.OrderIDByAnswer
		for field, value := range map[string]string{FieldBaseName: order.Spec.BaseName,
			FieldOrderID: order.Status.OrderID} {
			s.byField[field][value] = append(s.byField[field][value], order)
		}
	}
	mine := s.byField[FieldBaseName]["host7.example.com"][0]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page, err := Open(t.Context(), s, &mine)
	if err != nil || len(page.orders) != 1 {
		t.Fatalf("%d others have the name: %v", len(page.orders), err)
	}
	if _, err := Holders(t.Context(), s, &mine, "1014"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	got := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d Orders read, %d KiB allocated", s.served, got>>10)
	if got > 256<<10 {
		t.Errorf("it allocates %d KiB", got>>10)
	}
	if s.served > 3 || s.others != 0 {
		t.Errorf("%d Orders were read, and %d lists of all", s.served, s.others)
	}
}
