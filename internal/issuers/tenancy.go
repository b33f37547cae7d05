// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// WhyNotAllowed says why an issuer may not be used in a namespace for these names, or "" if it may. An AliyunIssuer may
// always be used in its own namespace. The error is one of the API server.
func WhyNotAllowed(ctx context.Context, from client.Reader, issuer v1alpha1.GenericIssuer, namespace string,
	names []string) (why string, err error) {
	shared, isShared := issuer.(*v1alpha1.AliyunClusterIssuer)
	if !isShared {
		return "", nil
	}
	switch isAllowed, err := allowsNamespace(ctx, from, shared.Spec.AllowedNamespaces, namespace); {
	case err != nil:
		return "", err
	case !isAllowed:
		return fmt.Sprintf("the AliyunClusterIssuer %q does not serve the namespace %q: use another issuer, or let "+
			"its operator add the namespace to spec.allowedNamespaces",
			shared.Name, namespace), nil
	}
	if others := slices.DeleteFunc(
		slices.Clone(names), func(name string) bool { return allowsDomain(shared.Spec.AllowedDomains, name) }); len(
		others) > 0 {
		return fmt.Sprintf("the AliyunClusterIssuer %q does not order for %s: use another issuer, or let its "+
			"operator add the domain to spec.allowedDomains", shared.Name, csr.Quoted(others)), nil
	}
	return "", nil
}

// allowsNamespace reads the labels of the namespace past any cache, and only if they matter: operators take access away
// by changing them.
func allowsNamespace(ctx context.Context, from client.Reader, allowed *v1alpha1.NamespaceSelector,
	namespace string) (bool, error) {
	if allowed == nil || slices.Contains(allowed.Names, namespace) {
		return true, nil
	}
	if allowed.Selector == nil {
		return false, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be read selects nothing
	}
	object := &corev1.Namespace{}
	if err := from.Get(ctx, types.NamespacedName{Name: namespace}, object); err != nil {
		return false, err
	}
	return selector.Matches(labels.Set(object.Labels)), nil
}

func allowsDomain(allowed []string, name string) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(domain string) bool {
		return dcv.Within(strings.TrimPrefix(name, "*."), domain)
	})
}
