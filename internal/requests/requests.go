// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package requests is what both sides know of a CertificateRequest: the side that lets it through to an AliyunOrder,
// and the side that works on that.
package requests

import (
	"strings"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// IsFinished says that cert-manager will not let the request change any more.
func IsFinished(request *cmapi.CertificateRequest) bool {
	switch cmutil.CertificateRequestReadyReason(request) {
	case cmapi.CertificateRequestReasonIssued, cmapi.CertificateRequestReasonFailed,
		cmapi.CertificateRequestReasonDenied:
		return true
	default:
		return false
	}
}

// maxRequestName leaves room for the UID in the 253 characters that a name may have.
const maxRequestName = 253 - 9

// OrderName returns the name of a request's Order. It has the name of the request, for people, and the beginning of its
// UID, so that a request that is made again under the same name gets an Order of its own.
func OrderName(request *cmapi.CertificateRequest) string {
	name := request.Name[:min(len(request.Name), maxRequestName)]
	return strings.TrimRight(name, "-.") + "-" + string(request.UID[:min(len(request.UID), 8)])
}

// IssuerReference names the issuer that a request is for.
func IssuerReference(request *cmapi.CertificateRequest) v1alpha1.IssuerReference {
	return v1alpha1.IssuerReference{Kind: request.Spec.IssuerRef.Kind, Name: request.Spec.IssuerRef.Name}
}
