// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// ofRequest is an Order for a signing request.
func ofRequest(request []byte, change func(*v1alpha1.AliyunOrder)) *v1alpha1.AliyunOrder {
	order := &v1alpha1.AliyunOrder{}
	order.Spec.Request, order.Spec.CommonName = request, "www.example.com"
	order.Spec.DNSNames = []string{"www.example.com", "example.com"}
	order.Spec.IssuerRef = v1alpha1.IssuerReference{Kind: v1alpha1.AliyunIssuerKind, Name: "cas"}
	order.Spec.Source.ResourcePlan = &v1alpha1.ResourcePlan{ProductCode: "p"}
	order.Spec.SecretNamespace, order.Spec.Region = "team", v1alpha1.RegionChina
	change(order)
	return order
}

// TestAnHeirIsForTheSameAndSuitsWhatWasOrdered changes one thing about the Order of the replacing request. isSame says
// whether both Orders are for the same. If they are, and the heir does not suit, the old order is given back before the
// heir buys.
func TestAnHeirIsForTheSameAndSuitsWhatWasOrdered(t *testing.T) {
	key := certs.NewKey(t)
	request := certs.Request(t, key, "www.example.com", []string{"example.com"}, nil)
	old := ofRequest(request, func(*v1alpha1.AliyunOrder) {})
	for name, test := range map[string]struct {
		change         func(*v1alpha1.AliyunOrder)
		isSame, isSuit bool
	}{
		"nothing": {func(*v1alpha1.AliyunOrder) {}, true, true},
		"its request, with the same key": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.Request = certs.Request(t, key, "www.example.com", nil, nil)
		}, true, true},
		"the order of its names": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.DNSNames = []string{"example.com", "www.example.com"}
		}, true, true},
		"its key": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.Request = certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil)
		}, false, true},
		"a request that cannot be read": {func(o *v1alpha1.AliyunOrder) { o.Spec.Request = []byte("x") }, false, true},
		"its names": {func(o *v1alpha1.AliyunOrder) { o.Spec.DNSNames = o.Spec.DNSNames[:1] },
			false, true},
		"its common name": {func(o *v1alpha1.AliyunOrder) { o.Spec.CommonName = "example.com" }, false, true},
		"its issuer":      {func(o *v1alpha1.AliyunOrder) { o.Spec.IssuerRef.Name = "other" }, false, true},
		"the kind of its issuer": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.IssuerRef.Kind = v1alpha1.AliyunClusterIssuerKind
		}, false, true},
		"its region": {func(o *v1alpha1.AliyunOrder) { o.Spec.Region = "ap-southeast-1" }, true, false},
		"its credentials": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.Credentials.AccessKeySecretRef = &v1alpha1.AccessKeySecretRef{}
		}, true, false},
		"where its Secrets are": {func(o *v1alpha1.AliyunOrder) { o.Spec.SecretNamespace = "other" }, true, false},
		"its product": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.Source.ResourcePlan = &v1alpha1.ResourcePlan{ProductCode: "q"}
		}, true, false},
		"a file in place of a record": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.Solvers = by(v1alpha1.Solver{File: &v1alpha1.FileSolver{}})
		}, true, false},
		"another DNS solver": {func(o *v1alpha1.AliyunOrder) {
			o.Spec.Solvers = by(v1alpha1.Solver{DNS: &v1alpha1.DNSSolver{}})
		}, true, true},
	} {
		heir := ofRequest(request, test.change)
		isSuit := suits(old, heir, runOf(heir, noon).offer)
		if isSame(old, heir) != test.isSame || isSame(heir, old) != test.isSame || isSuit != test.isSuit {
			t.Errorf("%s: the same is %t, and it suits: %t", name, isSame(old, heir), isSuit)
		}
	}
}

func TestTwoOrdersHoldTheSameByTheirIDOrTheirSubmission(t *testing.T) {
	status := func(id string, at time.Duration) *v1alpha1.AliyunOrder {
		order := &v1alpha1.AliyunOrder{Status: v1alpha1.OrderStatus{OrderID: id}}
		if at >= 0 {
			order.Status.Submission = &v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon.Add(at))}
		}
		return order
	}
	for name, test := range map[string]struct {
		a, b *v1alpha1.AliyunOrder
		want bool
	}{
		"one id":                    {status("7", 0), status("7", time.Minute), true},
		"two ids of two":            {status("7", 0), status("8", time.Minute), false},
		"one submission":            {status("", 0), status("", 0), true},
		"one submission, an answer": {status("7", 0), status("", 0), true},
		"two submissions":           {status("", 0), status("", time.Minute), false},
		"nothing at all":            {status("", -1), status("", -1), false},
	} {
		if holdsSame(test.a, test.b) != test.want || holdsSame(test.b, test.a) != test.want {
			t.Errorf("%s: they hold the same: %t", name, holdsSame(test.a, test.b))
		}
	}
}

func TestTheBestKnownOrderIsInheritedFirst(t *testing.T) {
	old := func(name string, basis v1alpha1.OrderIDBasis, age time.Duration) v1alpha1.AliyunOrder {
		return v1alpha1.AliyunOrder{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name),
				CreationTimestamp: metav1.NewTime(noon.Add(-age))},
			Status: v1alpha1.OrderStatus{OrderIDBasis: basis},
		}
	}
	orders := []v1alpha1.AliyunOrder{
		old("doubt", "", 9*time.Hour), old("listed", v1alpha1.OrderIDByListing, 8*time.Hour),
		old("young", v1alpha1.OrderIDByAnswer, time.Hour), old("old", v1alpha1.OrderIDByAnswer, 2*time.Hour),
		old("proven", v1alpha1.OrderIDByCertificate, time.Minute), old("said", v1alpha1.OrderIDByOperator, time.Hour),
	}
	slices.SortFunc(orders, byWorth)
	var names []string
	for _, order := range orders {
		names = append(names, order.Name)
	}
	compare.Same(t, names, []string{"proven", "old", "young", "said", "listed", "doubt"})
}

// TestAnOldOrderWaitsUntilItsHeirHasTheAnswer compares what the heir knows with the id that CAS has answered the old
// Order with.
func TestAnOldOrderWaitsUntilItsHeirHasTheAnswer(t *testing.T) {
	order := func(id string, basis v1alpha1.OrderIDBasis, excluded ...string) *v1alpha1.AliyunOrder {
		return &v1alpha1.AliyunOrder{
			Status: v1alpha1.OrderStatus{OrderID: id, OrderIDBasis: basis, ExcludedOrderIDs: excluded}}
	}
	answered := order("7", v1alpha1.OrderIDByAnswer)
	for name, test := range map[string]struct {
		heir, old *v1alpha1.AliyunOrder
		want      bool
	}{
		"it has nothing":             {order("", ""), answered, false},
		"it has it":                  {order("7", v1alpha1.OrderIDByAnswer), answered, true},
		"it presumes another":        {order("8", v1alpha1.OrderIDByListing), answered, false},
		"a certificate says another": {order("8", v1alpha1.OrderIDByCertificate), answered, true},
		"it has excluded it":         {order("", "", "7"), answered, true},
		"the old one has no answer":  {order("", ""), order("7", v1alpha1.OrderIDByListing), true},
	} {
		if got := hasLearned(test.heir, test.old); got != test.want {
			t.Errorf("%s: it has learned: %t", name, got)
		}
	}
}

// TestAnHeirKnowsThatNothingWasSent replaces an Order whose intent the API server did not confirm. No call followed,
// which only this process knows: the heir takes the intent back instead of being in doubt about it.
func TestAnHeirKnowsThatNothingWasSent(t *testing.T) {
	request := certs.Request(t, certs.NewKey(t), "www.example.com", nil, nil)
	made := func(name string, change func(*v1alpha1.AliyunOrder)) *v1alpha1.AliyunOrder {
		return ofRequest(request, func(o *v1alpha1.AliyunOrder) {
			o.Name, o.Namespace, o.UID, o.Spec.BaseName = name, "team", types.UID(name), "example.com"
			o.Finalizers = []string{v1alpha1.OrderFinalizer}
			change(o)
		})
	}
	intent := v1alpha1.OrderSubmission{StartedAt: metav1.NewTime(noon), Attempt: 1}
	old := made("old", func(o *v1alpha1.AliyunOrder) {
		o.DeletionTimestamp, o.Status.Submission = new(metav1.NewTime(noon)), &intent
	})
	heir := made("heir", func(*v1alpha1.AliyunOrder) {})
	kube := fakeCluster(t, old, heir)
	r := New(Config{Client: kube, APIReader: kube})
	r.memory.unsent.Store(old.UID, intent)
	stored := &v1alpha1.AliyunOrder{}
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(heir), stored); err != nil {
		t.Fatal(err)
	}
	run := runOf(stored.DeepCopy(), noon.Add(time.Minute))
	run.stored = stored
	if end := r.inherit(t.Context(), run); end.endsRun() || run.order.Status.Submission == nil {
		t.Fatalf("it inherits nothing: %+v", end)
	}
	if end := r.wrapping.retractUnsent(t.Context(), run); end.endsRun() || run.order.Status.Submission != nil {
		t.Errorf("it is in doubt: %+v, %+v", end, run.order.Status.Submission)
	}
}
