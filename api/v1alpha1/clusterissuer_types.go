// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AliyunClusterIssuer orders certificates from Alibaba Cloud Certificate Management Service (CAS) for the requests of
// all namespaces. It reads Secrets of the cluster resource namespace only.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=aliclusterissuer,categories=cert-manager
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Product",type=string,JSONPath=`.status.supply.product`
// +kubebuilder:printcolumn:name="Free",type=integer,JSONPath=`.status.supply.free`
// +kubebuilder:printcolumn:name="Today",type=integer,priority=1,JSONPath=`.status.budgets[?(@.name=="IssuerPerDay")].used`
// +kubebuilder:printcolumn:name="Account",type=string,priority=1,JSONPath=`.status.identity.accountID`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AliyunClusterIssuer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what to buy, with which identity, and how domains are validated. Set by the user; may change at any
	// time. Orders that exist keep what they were made with.
	// +required
	Spec ClusterIssuerSpec `json:"spec"`

	// status is written by the controller.
	// +optional
	Status IssuerStatus `json:"status,omitempty"`
}

// AliyunClusterIssuerList is a list of AliyunClusterIssuers.
//
// +kubebuilder:object:root=true
type AliyunClusterIssuerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AliyunClusterIssuer `json:"items"`
}

// ClusterIssuerSpec is that of an issuer, and who may use it for what.
type ClusterIssuerSpec struct {
	IssuerSpec `json:",inline"`

	// allowedNamespaces are those whose requests are served. Requests from others fail before anything is bought.
	// Empty: all namespaces.
	// +optional
	AllowedNamespaces *NamespaceSelector `json:"allowedNamespaces,omitempty"`

	// allowedDomains are those that certificates may be ordered for: example.com allows example.com and every name
	// below it. Requests for others fail before anything is bought. Empty: all domains.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +listType=set
	// +optional
	AllowedDomains []string `json:"allowedDomains,omitempty"`

	// releases says which unfinished orders are given back with the credentials of this issuer. Own: those that were
	// made with it. Account: those of AliyunIssuers of the same account, too, whose own credentials were deleted with
	// their namespace, so that nobody else can give them back. Set by the operator; may change at any time. Empty: Own.
	// +kubebuilder:default=Own
	// +optional
	Releases ReleaseScope `json:"releases,omitempty"`
}

// ReleaseScope says which orders an issuer's credentials may give back.
//
// +kubebuilder:validation:Enum=Own;Account
type ReleaseScope string

// The scopes of a release.
const (
	ReleasesOwn     ReleaseScope = "Own"
	ReleasesAccount ReleaseScope = "Account"
)

// NamespaceSelector selects namespaces that are named, or whose labels match.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) || has(self.selector)",message="names or selector is needed: leave allowedNamespaces out to serve all namespaces"
type NamespaceSelector struct {
	// names of namespaces.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	// +optional
	Names []string `json:"names,omitempty"`

	// selector of namespaces by their labels.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}
