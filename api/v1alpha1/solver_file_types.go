// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// FileSolver says how a request for the file reaches it. Exactly one member is set. With ingress and
// gatewayHTTPRoute the controller serves the file, and the route stands beside its Service, in its own namespace. An
// AliyunIssuer may have routes only for domains that the installation lets its namespace have (chart value
// issuerRoutes.domains).
//
// +kubebuilder:validation:XValidation:rule="[has(self.ingress), has(self.gatewayHTTPRoute), has(self.manual)].filter(x, x).size() == 1",message="exactly one file solver is needed: ingress, gatewayHTTPRoute or manual"
type FileSolver struct {
	// ingress leads to the file by an Ingress.
	// +optional
	Ingress *IngressSolver `json:"ingress,omitempty"`

	// gatewayHTTPRoute leads to the file by an HTTPRoute of the Gateway API.
	// +optional
	GatewayHTTPRoute *HTTPRouteSolver `json:"gatewayHTTPRoute,omitempty"`

	// manual leaves the file to a person or another system: its address and content stand in the AliyunOrder's status,
	// in an event, and in the message of the request. That it is there is noticed without further action.
	// +optional
	Manual *ManualSolver `json:"manual,omitempty"`
}

// IngressSolver makes an Ingress for the path of the file, and for no other.
type IngressSolver struct {
	// ingressClassName of the Ingress. Empty: the default class of the cluster.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +optional
	IngressClassName *string `json:"ingressClassName,omitempty"`

	// labels are put on the Ingress. An AliyunIssuer may set only keys that the installation allows (chart value
	// issuerRoutes.keys).
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are put on the Ingress, for instance one that keeps it from redirecting to HTTPS. An AliyunIssuer may
	// set only keys that the installation allows (chart value issuerRoutes.keys).
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// HTTPRouteSolver makes an HTTPRoute for the path of the file, and for no other.
type HTTPRouteSolver struct {
	// parentRefs are the Gateways that the route attaches to. An AliyunIssuer may name only Gateways, in namespaces
	// that the installation allows (chart value issuerRoutes.gatewayNamespaces).
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +required
	ParentRefs []ParentReference `json:"parentRefs"`

	// labels are put on the HTTPRoute. An AliyunIssuer may set only keys that the installation allows (chart value
	// issuerRoutes.keys).
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are put on the HTTPRoute. An AliyunIssuer may set only keys that the installation allows (chart value
	// issuerRoutes.keys).
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// ParentReference names what an HTTPRoute attaches to, as the Gateway API does.
type ParentReference struct {
	// group of the parent. Empty: gateway.networking.k8s.io.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Group string `json:"group,omitempty"`

	// kind of the parent. Empty: Gateway.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Kind string `json:"kind,omitempty"`

	// namespace of the parent. Empty: the controller's, where the route stands. A Gateway elsewhere must allow routes
	// from that namespace.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// name of the parent.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`

	// sectionName is the listener of the parent. Empty: all that take the host.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	SectionName string `json:"sectionName,omitempty"`

	// port of the listeners. Empty: all.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Port *int32 `json:"port,omitempty"`
}
