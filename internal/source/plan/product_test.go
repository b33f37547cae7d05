// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func TestTheTypeOfAProductIsWhatTheIssuerSaysOrTheDocumentationSettles(t *testing.T) {
	const single, wildcard, unknown = v1alpha1.DomainTypeSingle, v1alpha1.DomainTypeWildcard, v1alpha1.DomainType("")
	tests := []struct {
		code string
		said v1alpha1.DomainType
		want v1alpha1.DomainType
	}{
		{"digicert-free-1-free", "", single},
		{"symantec-free-1-free", "", single},
		{"geotrust-dv-1-starter", "", single},
		{"geotrust-dv-w-starter", "", wildcard},
		{"globalsign-dv-1-personal", "", single},
		{"globalsign-dv-w-advanced", "", wildcard},
		{"symantec-dv-1-starter", "", unknown}, // its pages contradict each other (docs/design/cas.md §3.2)
		{"new-brand-dv-w-starter", "", unknown},
		{"", "", unknown},
		{"symantec-dv-1-starter", wildcard, wildcard},
		{"symantec-dv-1-starter", single, single},
		{"digicert-free-1-free", wildcard, wildcard},
	}
	for _, test := range tests {
		if got := DomainTypeOf(&v1alpha1.ResourcePlan{
			ProductCode: test.code, DomainType: test.said}); got != test.want {
			t.Errorf("%s, said to be %q: got %q, want %q", test.code, test.said, got, test.want)
		}
	}
	compare.Same(t, DomainTypeRequired(&v1alpha1.ResourcePlan{ProductCode: "new-brand"}),
		`whether the product code "new-brand" is for single or for wildcard names is not known: set `+
			`spec.source.resourcePlan.domainType to Single or Wildcard`)
}
