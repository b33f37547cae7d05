// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const filePath = "/.well-known/pki-validation/fileauth.txt"

// waiting is an Order that waits for the file at its domain.
func waiting(uid types.UID, created time.Time, content string,
	change ...func(*v1alpha1.AliyunOrder)) *v1alpha1.AliyunOrder {
	order := &v1alpha1.AliyunOrder{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: string(uid), UID: uid,
			CreationTimestamp: metav1.NewTime(created)},
		Status: v1alpha1.OrderStatus{Validations: []v1alpha1.OrderValidation{{
			FQDN: "shop.example.com", Zone: filePath, RecordType: "FILE", RecordValue: content,
			Ownership: v1alpha1.RecordOurs,
		}}},
	}
	for _, change := range change {
		change(order)
	}
	return order
}

func filesOf(t *testing.T, orders ...*v1alpha1.AliyunOrder) *Files {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, order := range orders {
		builder = builder.WithObjects(order)
	}
	return &Files{Orders: builder.Build()}
}

func TestOfOrdersForOneFileTheOldestIsServed(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	files := filesOf(t, waiting("c", now, "young"), waiting("b", now.Add(-time.Hour), "second"),
		waiting("a", now.Add(-time.Hour), "first"))
	if got, ok := files.Content(t.Context(), "shop.example.com", filePath); !ok || got != "first" {
		t.Errorf("got %q, %t", got, ok)
	}
}

func TestAFileIsServedAsLongAsItsOrderWaits(t *testing.T) {
	now := metav1.Now()
	for name, change := range map[string]func(*v1alpha1.AliyunOrder){
		"issued":      func(o *v1alpha1.AliyunOrder) { o.Status.Certificate = []byte("x") },
		"given back":  func(o *v1alpha1.AliyunOrder) { o.Status.Release = &v1alpha1.OrderRelease{} },
		"handed over": func(o *v1alpha1.AliyunOrder) { o.Status.HandedOverTo = "heir" },
		"cleaned up":  func(o *v1alpha1.AliyunOrder) { o.Status.Validations[0].CleanedUpAt = &now },
		"left to a person": func(o *v1alpha1.AliyunOrder) {
			o.Status.Validations[0].Ownership = v1alpha1.RecordForeign
		},
		"a DNS record":           func(o *v1alpha1.AliyunOrder) { o.Status.Validations[0].RecordType = "TXT" },
		"of another domain":      func(o *v1alpha1.AliyunOrder) { o.Status.Validations[0].FQDN = "www.example.com" },
		"at another path":        func(o *v1alpha1.AliyunOrder) { o.Status.Validations[0].Zone = filePath + "2" },
		"without any validation": func(o *v1alpha1.AliyunOrder) { o.Status.Validations = nil },
	} {
		files := filesOf(t, waiting("a", now.Time, "content", change))
		if got, ok := files.Content(t.Context(), "shop.example.com", filePath); ok || got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got, ok := filesOf(t, waiting("a", now.Time, "content")).Content(t.Context(), "shop.example.com",
		filePath); !ok || got != "content" {
		t.Errorf("got %q, %t", got, ok)
	}
}

func TestWithoutACacheNoFileIsServed(t *testing.T) {
	kube := interceptor.NewClient(filesOf(t).Orders.(client.WithWatch), interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errors.New("not started")
		},
	})
	if _, ok := (&Files{Orders: kube}).Content(t.Context(), "shop.example.com", filePath); ok {
		t.Error("something is served")
	}
}

// TestEachNameOfAnOrderHasAFileOfItsOwn has CAS name the same path for a domain and its www.
func TestEachNameOfAnOrderHasAFileOfItsOwn(t *testing.T) {
	files := filesOf(t, waiting("a", time.Now(), "of shop", func(o *v1alpha1.AliyunOrder) {
		for _, host := range []string{"example.com", "www.example.com"} {
			v := o.Status.Validations[0]
			v.FQDN, v.RecordValue = host, "of "+host
			o.Status.Validations = append(o.Status.Validations, v)
		}
	}))
	for host, want := range map[string]string{"shop.example.com": "of shop", "example.com": "of example.com",
		"www.example.com": "of www.example.com", "a.example.com": ""} {
		if got, ok := files.Content(t.Context(), host, filePath); got != want || ok != (want != "") {
			t.Errorf("%s has %q, %t", host, got, ok)
		}
	}
}
