// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Solver is one way to show control over a domain. Exactly one of dns and file is set.
//
// +kubebuilder:validation:XValidation:rule="has(self.dns) != has(self.file)",message="exactly one kind of solver is needed: dns or file"
type Solver struct {
	// selector narrows the solver to some names. Empty: all names.
	// +optional
	Selector *SolverSelector `json:"selector,omitempty"`

	// dns shows control by a DNS record.
	// +optional
	DNS *DNSSolver `json:"dns,omitempty"`

	// file shows control by a file on the domain's web server. It never serves a wildcard name: CAs take only DNS for
	// these, so that a wildcard gets another solver of the list.
	// +optional
	File *FileSolver `json:"file,omitempty"`
}

// SolverSelector matches a name that is one of dnsNames, or within one of dnsZones. An exact name beats a zone, and a
// longer zone a shorter one, as in cert-manager's ACME issuer.
//
// +kubebuilder:validation:XValidation:rule="has(self.dnsNames) || has(self.dnsZones)",message="a selector needs dnsNames or dnsZones: leave it out to match all names"
type SolverSelector struct {
	// dnsNames are compared with the name as a whole. A wildcard matches only the same wildcard.
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
