// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

func TestAnInstallationForListedNamespacesListsThoseAlone(t *testing.T) {
	var orders []client.Object
	for _, namespace := range []string{"a", "b", "c"} {
		orders = append(orders, &v1alpha1.AliyunOrder{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "www-1"}})
	}
	kube := fakeCluster(t, orders...)
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
