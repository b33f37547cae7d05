// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// chooseSolver returns the solver whose selector says most about the common name, or nil if none is for the request.
func chooseSolver(solvers []v1alpha1.Solver, asks csr.Asks) *v1alpha1.Solver {
	var chosen *v1alpha1.Solver
	most := 0
	for i := range solvers {
		if solvers[i].IsFile() && needsDNS(asks) != "" {
			continue
		}
		if n := specificity(solvers[i].Selector, asks.CommonName); n > most {
			chosen, most = &solvers[i], n
		}
	}
	return chosen
}

// needsDNS says why a file cannot validate the request, or "" if it can: CAs take no file for a wildcard, and add no
// other names to a certificate that a file validated (docs/design/cas.md §3.3, §5.4).
func needsDNS(asks csr.Asks) string {
	switch {
	case strings.HasPrefix(asks.CommonName, "*."):
		return "no CA takes a file for a wildcard"
	case len(asks.DNSNames) > 1:
		return fmt.Sprintf("CAs add %q only to what was validated by DNS", asks.DNSNames[1])
	default:
		return ""
	}
}

// Returns 0 if the selector does not match the name, and a higher number the more closely it describes the name.
func specificity(selector *v1alpha1.SolverSelector, name string) int {
	if selector == nil {
		return 1
	}
	if slices.Contains(selector.DNSNames, name) {
		return 1000
	}
	longest := 0
	for _, zone := range selector.DNSZones {
		if dcv.Within(strings.TrimPrefix(name, "*."), zone) {
			longest = max(longest, 1+len(zone)) // at most 254
		}
	}
	return longest
}
