// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Solver is one way to show control over a domain.
//
// +kubebuilder:validation:XValidation:rule="has(self.dns)",message="exactly one kind of solver is needed: dns"
type Solver struct {
	// selector narrows the solver to some names. Empty: all names.
	// +optional
	Selector *SolverSelector `json:"selector,omitempty"`

	// dns shows control by a DNS record.
	// +optional
	DNS *DNSSolver `json:"dns,omitempty"`
}

// SolverSelector matches a common name that is one of dnsNames, or within one of dnsZones. An exact name beats a zone,
// and a longer zone a shorter one, as in cert-manager's ACME issuer.
//
// +kubebuilder:validation:XValidation:rule="has(self.dnsNames) || has(self.dnsZones)",message="a selector needs dnsNames or dnsZones: leave it out to match all names"
type SolverSelector struct {
	// dnsNames are compared with the common name as a whole. A wildcard matches only the same wildcard.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`
	// +listType=set
	// +optional
	DNSNames []string `json:"dnsNames,omitempty"`

	// dnsZones match the zone itself, every name below it, and wildcards of these.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`
	// +listType=set
	// +optional
	DNSZones []string `json:"dnsZones,omitempty"`
}

// DNSSolver says who publishes the DNS record. Exactly one member is set beside cnameStrategy.
//
// +kubebuilder:validation:XValidation:rule="(has(self.alidns) ? 1 : 0) + (has(self.manual) ? 1 : 0) + (has(self.none) ? 1 : 0) == 1",message="exactly one DNS solver is needed: alidns, manual or none"
type DNSSolver struct {
	// alidns publishes the record in Alibaba Cloud DNS.
	// +optional
	Alidns *AlidnsSolver `json:"alidns,omitempty"`

	// manual leaves the record to a person or another system: the record to create stands in the AliyunOrder's
	// status, in an event, and in the message of the request. That it is published is noticed without further action.
	// +optional
	Manual *ManualSolver `json:"manual,omitempty"`

	// none publishes nothing, and asks nobody to: for zones that are pre-authorised at CAS, whose orders are validated
	// without a new record.
	// +optional
	None *NoSolver `json:"none,omitempty"`
}

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

// ManualSolver has no settings.
type ManualSolver struct{}

// NoSolver has no settings.
type NoSolver struct{}
