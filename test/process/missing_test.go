// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// TestARequestThatIsMadeWhileOurKindIsMissingIsServedOnceItIsBack takes the CRD away, as somebody does who repairs an
// installation. The manager says that it cannot make the Order, and makes it later.
func TestARequestThatIsMadeWhileOurKindIsMissingIsServedOnceItIsBack(t *testing.T) {
	s := newScene(t, plan{}, 1)
	m := s.start()
	s.sees(&v1alpha1.AliyunIssuerList{}, issuerIsReady)
	crd := &unstructured.Unstructured{}
	crd.SetGroupVersionKind(
		schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := s.Client.Get(t.Context(), client.ObjectKey{Name: "aliyunorders." + v1alpha1.Group}, crd); err != nil {
		t.Fatal(err)
	}
	if err := s.Client.Delete(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	s.servesOrders(false)
	s.approve()
	m.logs(`"msg":"Reconciler error","controller":"certificaterequest"`)
	again := &unstructured.Unstructured{Object: map[string]any{"spec": crd.Object["spec"]}}
	again.SetGroupVersionKind(crd.GroupVersionKind())
	again.SetName(crd.GetName())
	again.SetAnnotations(crd.GetAnnotations())
	s.Create(again)
	s.servesOrders(true)
	s.finish()
	s.verdict()
}

// servesOrders waits until the API server does, or does not, serve AliyunOrders.
func (s *scene) servesOrders(want bool) {
	s.T.Helper()
	err := wait.PollUntilContextTimeout(s.T.Context(), 100*time.Millisecond, env.Patience, true,
		func(ctx context.Context) (bool, error) {
			err := s.Client.List(ctx,
				&metav1.PartialObjectMetadataList{
					TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AliyunOrderList"}})
			return (err == nil) == want, nil
		})
	if err != nil {
		s.T.Fatal(err)
	}
}
