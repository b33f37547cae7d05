// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Access is how an account at Alibaba Cloud is reached, and as whom. An Order keeps a copy of it, so that it can be
// finished and given back after its issuer has changed or gone.
type Access struct {
	// region selects the site of Alibaba Cloud, not the region of the cluster: cn-hangzhou is the China site
	// (aliyun.com), ap-southeast-1 the international site (alibabacloud.com). An account belongs to one of them.
	// +kubebuilder:default=cn-hangzhou
	// +optional
	Region Region `json:"region,omitempty"`

	// endpoint replaces the site's public CAS endpoint, for instance by its VPC endpoint. Empty: the public endpoint.
	// An AliyunIssuer may name only hosts that Alibaba Cloud documents, and those that the installation allows (chart
	// value issuerEndpointHosts).
	// +optional
	Endpoint *Endpoint `json:"endpoint,omitempty"`

	// stsEndpoint replaces https://sts.<region>.aliyuncs.com, where roles are assumed, and where it is asked whom an
	// AccessKey belongs to. The VPC endpoint of STS is sts-vpc.<region of the VPC>.aliyuncs.com. It is held to the same
	// rules as endpoint.
	// +optional
	STSEndpoint *Endpoint `json:"stsEndpoint,omitempty"`

	// callTimeout is how long a call to CAS or to Alibaba Cloud DNS may take, from 1s to 60s. Empty: 15s. The call that
	// orders has 20s, and one to STS 10s, whatever is set here.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('60s')",message="callTimeout is between 1s and 60s"
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(m|s|ms))+$`
	// +optional
	CallTimeout *metav1.Duration `json:"callTimeout,omitempty"`

	// credentials say who calls. Empty: the controller's own identity, as with ambient.
	// +optional
	Credentials Credentials `json:"credentials,omitempty,omitzero"`
}

// Region is a site of Alibaba Cloud, named by the region id that its API expects
// (https://www.alibabacloud.com/help/en/ssl-certificate/developer-reference/endpoints).
//
// +kubebuilder:validation:Enum=cn-hangzhou;ap-southeast-1
type Region string

// The sites that CAS has.
const (
	RegionChina         Region = "cn-hangzhou"
	RegionInternational Region = "ap-southeast-1"
)

// Endpoint is an address of an Alibaba Cloud API.
//
// +kubebuilder:validation:XValidation:rule="self.url.startsWith('https://') || self.url.matches('^http://(localhost|127[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}|\\\\[::1\\\\])(:[0-9]{1,5})?/?$')",message="url must begin with https:// (plain http is for a loopback host only: requests carry signatures and contact data)"
// +kubebuilder:validation:XValidation:rule="self.url.matches('^https?://[^/?#@[:space:]]+/?$')",message="url is scheme and host only, without path, query or user: https://cas-vpc.cn-hangzhou.aliyuncs.com"
type Endpoint struct {
	// url is scheme and host, for instance https://cas-vpc.cn-hangzhou.aliyuncs.com.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=256
	// +required
	URL string `json:"url"`

	// caBundle holds PEM certificates that the endpoint's certificate is verified against, instead of the
	// system's. Base64 in YAML. An AliyunIssuer may have one only for hosts that the installation allows by name (chart
	// value issuerEndpointHosts).
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	CABundle []byte `json:"caBundle,omitempty"`
}
