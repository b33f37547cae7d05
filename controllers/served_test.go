// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

func TestAnInstallationForListedNamespacesListsThoseAlone(t *testing.T) {
	var orders []client.Object
	for _, namespace := range []string{"a", "b", "c"} {
		orders = append(orders, &v1alpha1.AliyunOrder{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "www-1"}})
	}
	kube := clusterWith(t, orders...)
	for _, test := range []struct {
		served  []string
		options []client.ListOption
		want    []string
	}{
		{nil, nil, []string{"a", "b", "c"}},
		{[]string{"c", "a"}, nil, []string{"c", "a"}},
		{[]string{"a", "c"}, []client.ListOption{client.InNamespace("c")}, []string{"c"}},
		{[]string{"d"}, nil, nil},
	} {
		unknown := &unstructured.UnstructuredList{}
		unknown.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("AliyunOrderList"))
		known, from := &v1alpha1.AliyunOrderList{}, &ServedClient{Client: kube, Namespaces: test.served}
		for _, list := range []client.ObjectList{known, unknown} {
			if err := from.List(t.Context(), list, test.options...); err != nil {
				t.Fatal(err)
			}
		}
		var typed, untyped []string
		for _, order := range known.Items {
			typed = append(typed, order.Namespace)
		}
		for _, order := range unknown.Items {
			untyped = append(untyped, order.GetNamespace())
		}
		if !slices.Equal(typed, test.want) || !slices.Equal(untyped, test.want) {
			t.Errorf("of %q, listed are %q and %q, want %q", test.served, typed, untyped, test.want)
		}
	}
}

// TestAListOfListedNamespacesIsNotPaged asks for a page, with a server that gives what is asked for: a page of one
// namespace is no page of all, and whoever went on from it would skip some Orders and count others twice.
func TestAListOfListedNamespacesIsNotPaged(t *testing.T) {
	var orders []client.Object
	for _, name := range []string{"a", "b", "c"} {
		orders = append(orders, &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: "one", Name: name}},
			&v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: "two", Name: name}})
	}
	paging := interceptor.NewClient(clusterWith(t, orders...).(client.WithWatch), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			wanted := (&client.ListOptions{}).ApplyOptions(opts)
			if err := c.List(ctx, list, opts...); err != nil || wanted.Limit == 0 {
				return err
			}
			page := list.(*v1alpha1.AliyunOrderList)
			page.Items, page.Continue = page.Items[:wanted.Limit], "more"
			return nil
		},
	})
	list := &v1alpha1.AliyunOrderList{}
	from := &ServedClient{Client: paging, Namespaces: []string{"one", "two"}}
	if err := from.List(t.Context(), list, client.Limit(2), client.Continue("")); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != len(orders) || list.Continue != "" {
		t.Errorf("of %d Orders, %d are listed, and the list goes on: %q", len(orders), len(list.Items), list.Continue)
	}
}

// clusterWith is a cluster that has Orders.
func clusterWith(t *testing.T, orders ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(orders...).Build()
}
