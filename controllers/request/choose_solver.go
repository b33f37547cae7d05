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
// proved are the names whose control has to be proved.
func chooseSolver(solvers []v1alpha1.Solver, asks csr.Asks, proved []string) *v1alpha1.Solver {
	var chosen *v1alpha1.Solver
	most, isForFiles := 0, needsDNS(asks.DNSNames, proved) == ""
	for i := range solvers {
		if solvers[i].IsFile() && !isForFiles {
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
func needsDNS(names, proved []string) string {
	isWildcard := func(name string) bool { return strings.HasPrefix(name, "*.") }
	if slices.ContainsFunc(proved, isWildcard) {
		return "no CA takes a file for a wildcard"
	}
	for _, name := range names {
		if !slices.Contains(proved, name) {
			return fmt.Sprintf("CAs add %q only to what was validated by DNS", name)
		}
	}
	return ""
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
