// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxReasons and maxListed bound what a refusal tells: a request may have thousands of names.
const (
	maxReasons = 10
	maxListed  = 5
)

// Reasons are all that speaks against a request, each once. If people were told one at a time, they would be refused
// again after each correction.
type Reasons []string

// Add adds a reason, in the way of fmt.Sprintf.
func (rs *Reasons) Add(format string, args ...any) {
	if reason := fmt.Sprintf(format, args...); !slices.Contains(*rs, reason) {
		*rs = append(*rs, reason)
	}
}

// AddAll adds reasons that others have found.
func (rs *Reasons) AddAll(others Reasons) {
	for _, reason := range others {
		rs.Add("%s", reason)
	}
}

// Err is the refusal, or nil where nothing speaks against the request.
func (rs Reasons) Err() error {
	if len(rs) == 0 {
		return nil
	}
	told := rs
	if n := len(rs) - maxReasons; n > 0 {
		told = append(slices.Clone(rs[:maxReasons]), fmt.Sprintf("and %d more like these", n))
	}
	return errors.New(strings.Join(told, "; "))
}

// Listed names the first of many.
func Listed(values []string) string {
	if n := len(values) - maxListed; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(values[:maxListed], ", "), n)
	}
	return strings.Join(values, ", ")
}

// Quoted names the first of many, in quotes.
func Quoted(names []string) string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, fmt.Sprintf("%q", name))
	}
	return Listed(out)
}

// IsBare says that no Certificate stands behind a request: a person, a CSI driver or a mesh made it. Whoever reads
// about it has nothing to edit.
func IsBare(request *cmapi.CertificateRequest) bool {
	owner := metav1.GetControllerOf(request)
	return request.Annotations[cmapi.CertificateNameKey] == "" && (owner == nil || owner.Kind != cmapi.CertificateKind)
}

// Advice is what the author of a request can do: change its Certificate or, where there is none, make it anew in
// another way, since neither a signing request nor a CertificateRequest can be changed.
func Advice(isBare bool, certificate, anew string) string {
	if isBare {
		return "make the signing request anew " + anew
	}
	return certificate
}
