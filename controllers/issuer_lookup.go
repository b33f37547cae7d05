// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// newIssuer returns an empty issuer of a kind, or nil if the kind is not ours.
func newIssuer(kind string) v1alpha1.GenericIssuer {
	switch kind {
	case v1alpha1.AliyunIssuerKind:
		return &v1alpha1.AliyunIssuer{}
	case v1alpha1.AliyunClusterIssuerKind:
		return &v1alpha1.AliyunClusterIssuer{}
	default:
		return nil
	}
}

// issuerKey is where an issuer of that kind stands. The kind decides alone: nothing falls back to the other one.
func issuerKey(namespace string, ref v1alpha1.IssuerReference) types.NamespacedName {
	if ref.Kind == v1alpha1.AliyunClusterIssuerKind {
		namespace = ""
	}
	return types.NamespacedName{Namespace: namespace, Name: ref.Name}
}

func getIssuer(ctx context.Context, from client.Reader, namespace string, ref v1alpha1.IssuerReference) (v1alpha1.GenericIssuer, error) {
	issuer := newIssuer(ref.Kind)
	return issuer, from.Get(ctx, issuerKey(namespace, ref), issuer)
}

func issuerNotFound(namespace string, ref v1alpha1.IssuerReference) string {
	if ref.Kind == v1alpha1.AliyunClusterIssuerKind {
		return fmt.Sprintf("the AliyunClusterIssuer %q does not exist: create it, or correct issuerRef", ref.Name)
	}
	return fmt.Sprintf("the AliyunIssuer %q does not exist in the namespace %q: create it, or correct issuerRef", ref.Name, namespace)
}

// issuerNotReady returns why nothing may be ordered from the issuer, or "".
func issuerNotReady(issuer v1alpha1.GenericIssuer) string {
	status := issuer.GetStatus()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case issuer.GetDeletionTimestamp() != nil:
		return fmt.Sprintf("the %s %q is being deleted", issuer.IssuerKind(), issuer.GetName())
	case ready == nil, status.ObservedGeneration != issuer.GetGeneration():
		return fmt.Sprintf("the %s %q has not been checked yet: that is done within 30 seconds of a change to it", issuer.IssuerKind(), issuer.GetName())
	case ready.Status != metav1.ConditionTrue:
		return fmt.Sprintf("the %s %q is not ready: %s", issuer.IssuerKind(), issuer.GetName(), ready.Message)
	}
	return ""
}

// mayTryAgain says that the issuer is not ready because of what an order was refused: only another try can tell whether
// that has been mended.
func mayTryAgain(issuer v1alpha1.GenericIssuer) bool {
	status := issuer.GetStatus()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	return issuer.GetDeletionTimestamp() == nil && ready != nil && status.ObservedGeneration == issuer.GetGeneration() && ready.Reason == v1alpha1.ReasonPermissionRefused
}
