// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// domainTypes are the DV products whose type the documentation settles (docs/design/cas.md §3.2). symantec-dv-1-starter
// is not among them: its pages contradict each other.
var domainTypes = map[string]v1alpha1.DomainType{
	"digicert-free-1-free":     v1alpha1.DomainTypeSingle,
	"symantec-free-1-free":     v1alpha1.DomainTypeSingle,
	"geotrust-dv-1-starter":    v1alpha1.DomainTypeSingle,
	"geotrust-dv-w-starter":    v1alpha1.DomainTypeWildcard,
	"globalsign-dv-1-personal": v1alpha1.DomainTypeSingle,
	"globalsign-dv-w-advanced": v1alpha1.DomainTypeWildcard,
}

// DomainTypeOf returns which names the plan covers, or "" if the user has to say it.
func DomainTypeOf(plan *v1alpha1.ResourcePlan) v1alpha1.DomainType {
	if plan.DomainType != "" {
		return plan.DomainType
	}
	return domainTypes[plan.ProductCode]
}

// IsOther says whether a listing names a product that is certainly not the plan's. A product in words that this version
// does not know is not: listings may use other words.
func IsOther(listed string, plan *v1alpha1.ResourcePlan) bool {
	_, isKnown := domainTypes[listed]
	return isKnown && listed != plan.ProductCode
}

// DomainTypeRequired tells what to do about a product whose kind of names is not known.
func DomainTypeRequired(plan *v1alpha1.ResourcePlan) string {
	return fmt.Sprintf("whether the product code %q is for single or for wildcard names is not known: set "+
		"spec.source.resourcePlan.domainType to Single or Wildcard", plan.ProductCode)
}
