// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// DNSSolver says who publishes the DNS record. Exactly one member is set beside cnameStrategy.
//
// +kubebuilder:validation:XValidation:rule="[has(self.alidns), has(self.webhook), has(self.dnsEndpoint), has(self.rfc2136), has(self.manual), has(self.none)].filter(x, x).size() == 1",message="exactly one DNS solver is needed: alidns, webhook, dnsEndpoint, rfc2136, manual or none"
type DNSSolver struct {
	// cnameStrategy says where the record goes if the name that CAS wants it at is a CNAME. Follow publishes it where
	// that leads, so that a zone can delegate its validation to another one. Only a TXT record can be delegated. None
	// publishes it at the name itself, where a CNAME is in the way. Empty: None.
	// +optional
	CNAMEStrategy CNAMEStrategy `json:"cnameStrategy,omitempty"`

	// alidns publishes the record in Alibaba Cloud DNS.
	// +optional
	Alidns *AlidnsSolver `json:"alidns,omitempty"`

	// webhook lets a DNS01 webhook of cert-manager publish the record. The installation must allow it: the chart value
	// webhookSolvers.
	// +optional
	Webhook *WebhookSolver `json:"webhook,omitempty"`

	// dnsEndpoint lets ExternalDNS publish the record, by a DNSEndpoint in the namespace of the Order.
	// +optional
	DNSEndpoint *DNSEndpointSolver `json:"dnsEndpoint,omitempty"`

	// rfc2136 publishes the record by a dynamic update, as BIND, Knot, PowerDNS and Windows take it.
	// +optional
	RFC2136 *RFC2136Solver `json:"rfc2136,omitempty"`

	// manual leaves the record to a person or another system: the record to create stands in the AliyunOrder's
	// status, in an event, and in the message of the request. That it is published is noticed without further action.
	// +optional
	Manual *ManualSolver `json:"manual,omitempty"`

	// none publishes nothing, and asks nobody to: for zones that are pre-authorised at CAS, whose orders are validated
	// without a new record.
	// +optional
	None *NoSolver `json:"none,omitempty"`
}

// CNAMEStrategy says what a CNAME at the record's name means.
//
// +kubebuilder:validation:Enum=None;Follow
type CNAMEStrategy string

// The strategies for a CNAME at the record's name.
const (
	CNAMENone   CNAMEStrategy = "None"
	CNAMEFollow CNAMEStrategy = "Follow"
)

// AlidnsSolver publishes records in Alibaba Cloud DNS.
type AlidnsSolver struct {
	// endpoint replaces https://alidns.aliyuncs.com.
	// +optional
	Endpoint *Endpoint `json:"endpoint,omitempty"`

	// credentials are those of the account that has the zone, where it is not the account that orders. Empty: the
	// issuer's.
	// +optional
	Credentials *Credentials `json:"credentials,omitempty"`
}

// WebhookSolver names a DNS01 webhook of cert-manager. It is called as cert-manager calls it, with a TXT record only:
// an order for which CAS wants a CNAME is held.
type WebhookSolver struct {
	// groupName is the API group that the webhook serves.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$`
	// +required
	GroupName string `json:"groupName"`

	// solverName is the solver's name within the group.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +required
	SolverName string `json:"solverName"`

	// config is passed on to the webhook, which documents it. It holds no secrets, since Orders keep a copy: webhooks
	// take references to Secrets, which they read from the namespace that this issuer reads its own Secrets from.
	// +optional
	Config *apiextensionsv1.JSON `json:"config,omitempty"`
}

// DNSEndpointSolver publishes by ExternalDNS, which must run with --source=crd and manage TXT and CNAME records.
type DNSEndpointSolver struct {
	// labels are put on the DNSEndpoint, for an ExternalDNS with a label filter.
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are put on the DNSEndpoint, for an ExternalDNS with an annotation filter.
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// RFC2136Solver publishes by dynamic updates (RFC 2136), signed by TSIG (RFC 8945) if a key is named.
//
// +kubebuilder:validation:XValidation:rule="has(self.tsigKeyName) == has(self.tsigSecretSecretRef)",message="tsigKeyName and tsigSecretSecretRef belong together: set both, or neither in an AliyunClusterIssuer for a server that takes unsigned updates"
type RFC2136Solver struct {
	// nameserver takes the updates: host or host:port, by default port 53. An AliyunIssuer may name only those that the
	// installation allows (chart value issuerNameservers).
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=261
	// +kubebuilder:validation:Pattern=`^([-A-Za-z0-9._]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`
	// +required
	Nameserver string `json:"nameserver"`

	// tsigKeyName is the name of the key, as the server knows it. Empty, in an AliyunClusterIssuer only: updates are
	// not signed, and the server takes them by the address of the controller.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	TSIGKeyName string `json:"tsigKeyName,omitempty"`

	// tsigAlgorithm is the algorithm of the key. Empty: HMACSHA256.
	// +optional
	TSIGAlgorithm TSIGAlgorithm `json:"tsigAlgorithm,omitempty"`

	// tsigSecretSecretRef names the Secret with the key itself, in base64 as tsig-keygen prints it.
	// +optional
	TSIGSecretSecretRef *SecretKeyReference `json:"tsigSecretSecretRef,omitempty"`
}

// TSIGAlgorithm signs dynamic updates.
//
// +kubebuilder:validation:Enum=HMACSHA1;HMACSHA224;HMACSHA256;HMACSHA384;HMACSHA512
type TSIGAlgorithm string

// SecretKeyReference names a value in a Secret of the namespace that the issuer reads Secrets from.
type SecretKeyReference struct {
	SecretReference `json:",inline"`

	// key in the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +required
	Key string `json:"key"`
}

// ManualSolver has no settings.
type ManualSolver struct{}

// NoSolver has no settings.
type NoSolver struct{}
