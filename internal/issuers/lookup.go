// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package issuers finds the issuer that a request names, and says whether the request may use it: by its state, and by
// what an AliyunClusterIssuer allows.
package issuers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// New returns an empty issuer of a kind, or nil if the kind is not ours.
func New(kind string) v1alpha1.GenericIssuer {
	switch kind {
	case v1alpha1.AliyunIssuerKind:
		return &v1alpha1.AliyunIssuer{}
	case v1alpha1.AliyunClusterIssuerKind:
		return &v1alpha1.AliyunClusterIssuer{}
	default:
		return nil
	}
}

// Key returns where the issuer of a reference stands. The kind alone decides: an issuer that does not exist is never
// looked for among those of the other kind.
func Key(namespace string, ref v1alpha1.IssuerReference) types.NamespacedName {
	if ref.Kind == v1alpha1.AliyunClusterIssuerKind {
		namespace = ""
	}
	return types.NamespacedName{Namespace: namespace, Name: ref.Name}
}

// IndexValue returns what Index has for an issuer, to find what waits for it.
func IndexValue(namespace string, ref v1alpha1.IssuerReference) string {
	return ref.Kind + " " + Key(namespace, ref).String()
}

// Get reads the issuer that a reference in a namespace names.
func Get(ctx context.Context, from client.Reader, namespace string,
	ref v1alpha1.IssuerReference) (v1alpha1.GenericIssuer, error) {
	issuer := New(ref.Kind)
	return issuer, from.Get(ctx, Key(namespace, ref), issuer)
}

// NotFound returns what to do about an issuer that does not exist.
func NotFound(namespace string, ref v1alpha1.IssuerReference) string {
	if ref.Kind == v1alpha1.AliyunClusterIssuerKind {
		return fmt.Sprintf("the AliyunClusterIssuer %q does not exist: create it, or correct issuerRef", ref.Name)
	}
	return fmt.Sprintf("the AliyunIssuer %q does not exist in the namespace %q: create it, or correct issuerRef",
		ref.Name, namespace)
}

// WhyNotReady returns why nothing may be ordered from the issuer, or "".
func WhyNotReady(issuer v1alpha1.GenericIssuer) string {
	status := issuer.GetStatus()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case issuer.GetDeletionTimestamp() != nil:
		return fmt.Sprintf("the %s %q is being deleted", issuer.IssuerKind(), issuer.GetName())
	case ready == nil, status.ObservedGeneration != issuer.GetGeneration():
		return fmt.Sprintf("the %s %q has not been checked yet: that is done within 30 seconds of a change to it",
			issuer.IssuerKind(), issuer.GetName())
	case ready.Status != metav1.ConditionTrue:
		return fmt.Sprintf("the %s %q is not ready: %s", issuer.IssuerKind(), issuer.GetName(), ready.Message)
	}
	return ""
}

// MayTryAgain says whether an order may be tried although the issuer is not ready: an order was refused a permission,
// and only another try can tell whether it has been granted since.
func MayTryAgain(issuer v1alpha1.GenericIssuer) bool {
	status := issuer.GetStatus()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	return issuer.GetDeletionTimestamp() == nil && ready != nil &&
		status.ObservedGeneration == issuer.GetGeneration() && ready.Reason == v1alpha1.ReasonPermissionRefused
}
