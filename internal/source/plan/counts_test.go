// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Returns a cluster without Orders, which has the indexes of a plan.
func emptyCluster(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for field, index := range (&Source{}).Indexes() {
		builder = builder.WithIndex(&v1alpha1.AliyunOrder{}, field, index)
	}
	return builder.Build()
}

// Returns an Order that buys from a plan.
func buying(uid types.UID) *v1alpha1.AliyunOrder {
	order := &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{UID: uid, Namespace: "team", Name: string(uid)}}
	order.Spec.Source.ResourcePlan = &v1alpha1.ResourcePlan{ProductCode: "p"}
	return order
}

func TestPurchasesThatOverlapShareTheReadingOfTheFirst(t *testing.T) {
	b, reads := &counts{}, 0
	read := func() (int, error) {
		reads++
		if reads == 3 {
			return 0, errors.New("CAS does not answer")
		}
		return 10 * reads, nil
	}
	begin := func(uid types.UID) *baseline {
		t.Helper()
		of, err := b.beginPurchase(buying(uid), noon, read)
		if err != nil || of == nil {
			t.Fatalf("it has to wait: %v", err)
		}
		return of
	}
	first := begin("a")
	second := begin("b")
	if !first.says() || !second.says() || second.reading.used != 10 || reads != 1 {
		t.Errorf("after %d readings: %+v and %+v", reads, first.reading, second.reading)
	}
	first.End()
	if third := begin("c"); third.reading.used != 10 {
		t.Errorf("the reading is another one while a purchase is under way that shares it: %+v", third.reading)
	} else {
		third.End()
	}
	second.End()
	if next := begin("d"); next.reading.used != 20 || len(b.plans) != 1 {
		t.Errorf("what was read for others is taken for the next: %+v", next.reading)
	} else {
		next.End()
	}
	if of, err := b.beginPurchase(buying("e"), noon, read); of != nil || err == nil {
		t.Error("it buys though the count cannot be read")
	}
	if len(b.plans) != 0 {
		t.Error("the plan is not forgotten")
	}
}

func TestNobodyBuysWhileTheCountIsReadOrAnOrderIsGivenBack(t *testing.T) {
	s := &Source{Kube: emptyCluster(t), APIReader: emptyCluster(t)}
	of, err := s.counts.beginPurchase(buying("a"), noon, func() (int, error) {
		if other, _ := s.counts.beginPurchase(buying("b"), noon, nil); other != nil {
			t.Error("another one buys while the count is read")
		}
		return 1, nil
	})
	if err != nil || !of.says() {
		t.Fatalf("it does not buy: %v", err)
	}
	end, err := s.beginReturn(t.Context(), buying("c"))
	if err != nil {
		t.Fatal(err)
	}
	if of.says() {
		t.Error("the count is taken for evidence though an order is given back")
	}
	if other, _ := s.counts.beginPurchase(buying("b"), noon, nil); other != nil {
		t.Error("another one buys while an order is given back")
	}
	end()
	of.End()
	if len(s.counts.plans) != 0 {
		t.Error("the plan is not forgotten")
	}
}

func TestOnlyWhatIsProvenAndStillChargedExplainsTheCount(t *testing.T) {
	settle := MinSettle
	began := metav1.NewTime(noon.Add(-time.Hour))
	for name, test := range map[string]struct {
		status v1alpha1.OrderStatus
		want   string
	}{
		"an answer": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer}, "explains"},
		"a certificate": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByCertificate}, "explains"},
		"what is presumed by a listing": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByListing}, "may explain"},
		"what an operator named": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByOperator}, "may explain"},
		"what was given back": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer,
				Release: &v1alpha1.OrderRelease{Outcome: v1alpha1.Released}}, "says nothing"},
		"what was presumed, and ended so": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByListing,
				Release: &v1alpha1.OrderRelease{Outcome: v1alpha1.Unresolved}}, "says nothing"},
		"what is presumed, and being ended": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByListing,
				Release: &v1alpha1.OrderRelease{}}, "may explain"},
		"what CAS does not know": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer,
				Missing: &v1alpha1.OrderMissing{}}, "says nothing"},
		"what was handed over": {
			v1alpha1.OrderStatus{OrderID: "7", OrderIDBasis: v1alpha1.OrderIDByAnswer, HandedOverTo: "heir"},
			"says nothing"},
		"a doubt that nobody has settled yet": {v1alpha1.OrderStatus{}, "may explain"},
	} {
		use := planUse{}
		test.status.Submission = &v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon.Add(-time.Minute))}
		use.add(&v1alpha1.AliyunOrder{Status: test.status}, noon, settle)
		got := "says nothing"
		if use.explained == 1 {
			got = "explains"
		} else if use.open != nil {
			got = "may explain"
		}
		if got != test.want {
			t.Errorf("%s %s, want it that it %s", name, got, test.want)
		}
	}
	use := planUse{}
	use.add(&v1alpha1.AliyunOrder{
		Status: v1alpha1.OrderStatus{Submission: &v1alpha1.OrderSubmission{StartedAt: began}}}, noon, settle)
	if use.open != nil {
		t.Error("a doubt is waited for that nothing settles any more")
	}
}

func TestWhatWasReadTellsBeforeFromAfter(t *testing.T) {
	reading := func(used int64, at time.Duration) *v1alpha1.OrderSubmission {
		stamp := metav1.NewMicroTime(noon.Add(at))
		return &v1alpha1.OrderSubmission{
			ResourcePlan: &v1alpha1.PlanEvidence{UsedCount: &used, UsedCountAt: &stamp}}
	}
	mine := reading(5, 0)
	for name, test := range map[string]struct {
		other *v1alpha1.OrderSubmission
		want  bool
	}{
		"the same reading":                     {reading(5, 0), true},
		"a later one":                          {reading(3, time.Microsecond), true},
		"an earlier one":                       {reading(4, -time.Microsecond), false},
		"one of the same moment, before it":    {reading(4, 0), false},
		"none":                                 {&v1alpha1.OrderSubmission{}, false},
		"an order that was found in a listing": {nil, false},
	} {
		if got := isSince(test.other, mine); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
