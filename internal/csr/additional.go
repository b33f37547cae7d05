// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package csr

import "github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"

// Additional says which opt-in covers a name beside the common name, or "".
func Additional(name, commonName string) v1alpha1.AdditionalName {
	switch {
	case name == "www."+commonName:
		return v1alpha1.AdditionalNameWWW
	case "www."+name == commonName:
		return v1alpha1.AdditionalNameApex
	case "*."+name == commonName:
		return v1alpha1.AdditionalNameWildcardBase
	default:
		return ""
	}
}
