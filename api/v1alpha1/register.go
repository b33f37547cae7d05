// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of every kind in this package. The name follows the field's pattern for external issuers
// (certmanager.<domain of the service>): it names the service and claims no endorsement.
const Group = "certmanager.aliyun.com"

// The kinds that an issuerRef may name.
const (
	AliyunIssuerKind        = "AliyunIssuer"
	AliyunClusterIssuerKind = "AliyunClusterIssuer"
	AliyunOrderKind         = "AliyunOrder"
)

// GroupVersion is the group and version of this package.
var GroupVersion = schema.GroupVersion{Group: Group, Version: "v1alpha1"}

var schemeBuilder = runtime.NewSchemeBuilder(func(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&AliyunIssuer{}, &AliyunIssuerList{},
		&AliyunClusterIssuer{}, &AliyunClusterIssuerList{},
		&AliyunOrder{}, &AliyunOrderList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
})

// AddToScheme makes the kinds of this package known to a scheme.
var AddToScheme = schemeBuilder.AddToScheme
