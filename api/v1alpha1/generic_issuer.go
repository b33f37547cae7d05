// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// GenericIssuer is an AliyunIssuer or an AliyunClusterIssuer. One spec, one status and one reconciler serve both kinds.
//
// +kubebuilder:object:generate=false
type GenericIssuer interface {
	metav1.Object
	runtime.Object

	// IssuerKind is the kind as an issuerRef names it. It is known to the type: objects from a cache carry no kind.
	IssuerKind() string
	GetSpec() *IssuerSpec
	GetStatus() *IssuerStatus
}

var (
	_ GenericIssuer = &AliyunIssuer{}
	_ GenericIssuer = &AliyunClusterIssuer{}
)

func (*AliyunIssuer) IssuerKind() string                 { return AliyunIssuerKind }
func (issuer *AliyunIssuer) GetSpec() *IssuerSpec        { return &issuer.Spec }
func (issuer *AliyunIssuer) GetStatus() *IssuerStatus    { return &issuer.Status }
func (*AliyunClusterIssuer) IssuerKind() string          { return AliyunClusterIssuerKind }
func (issuer *AliyunClusterIssuer) GetSpec() *IssuerSpec { return &issuer.Spec.IssuerSpec }
func (issuer *AliyunClusterIssuer) GetStatus() *IssuerStatus {
	return &issuer.Status
}
