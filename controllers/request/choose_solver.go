// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// unmatched is a name that no solver of the kind that validates the request matches.
type unmatched struct {
	name string
	// kind is "DNS" or "file".
	kind string
	// why the request takes no other kind. Empty: it would, if all names had a solver of that.
	why string
	// isOtherKind says that a solver of the other kind matches the name.
	isOtherKind bool
}

func (u *unmatched) message(issuer string) string {
	switch {
	case !u.isOtherKind:
		return fmt.Sprintf("no solver of %s matches %q: add one for it to spec.solvers, or one without a selector",
			issuer, u.name)
	case u.why != "":
		return fmt.Sprintf("no DNS solver of %s matches %q, and %s: add one to spec.solvers", issuer, u.name, u.why)
	default:
		return fmt.Sprintf("no %s solver of %s matches %q, only one of another kind, and all names of a request are "+
			"validated alike: add a %s solver for it to spec.solvers", u.kind, issuer, u.name, u.kind)
	}
}

// chooseSolvers returns for each name whose control has to be proved the solver whose selector says most about that
// name: all by DNS, or all by files, since an order has one method of validation. The kind is that of the first name's
// solver, or else the other one if that is there for all names.
func chooseSolvers(solvers []v1alpha1.Solver, names, proved []string) ([]v1alpha1.OrderSolver, *unmatched) {
	why := needsDNS(names, proved)
	first := closest(solvers, proved[0], func(s v1alpha1.Solver) bool { return why == "" || !s.IsFile() })
	isFile := first != nil && first.IsFile()
	chosen, missing := ofOneKind(solvers, proved, isFile)
	if missing != nil && why == "" {
		if other, missingThere := ofOneKind(solvers, proved, !isFile); missingThere == nil {
			return other, nil
		}
	}
	if missing != nil {
		missing.why = why
	}
	return chosen, missing
}

// ofOneKind returns the solvers of one kind for all names, each with the names that it is the closest for, and in the
// order of these.
func ofOneKind(solvers []v1alpha1.Solver, names []string, isFile bool) (all []v1alpha1.OrderSolver, _ *unmatched) {
	isKind := func(s v1alpha1.Solver) bool { return s.IsFile() == isFile }
	kind := "DNS"
	if isFile {
		kind = "file"
	}
	at := map[*v1alpha1.Solver]int{}
	for _, name := range names {
		solver := closest(solvers, name, isKind)
		if solver == nil {
			other := closest(solvers, name, func(s v1alpha1.Solver) bool { return !isKind(s) })
			return nil, &unmatched{name: name, kind: kind, isOtherKind: other != nil}
		}
		i, isKnown := at[solver]
		if !isKnown {
			i = len(all)
			at[solver], all = i, append(all, v1alpha1.OrderSolver{Solver: v1alpha1.Solver{DNS: solver.DNS,
				File: solver.File}})
		}
		all[i].DNSNames = append(all[i].DNSNames, name)
	}
	return all, nil
}

// closest returns the solver of a kind whose selector says most about a name, the first of equals, or nil.
func closest(solvers []v1alpha1.Solver, name string, isKind func(v1alpha1.Solver) bool) *v1alpha1.Solver {
	var chosen *v1alpha1.Solver
	most := 0
	for i := range solvers {
		if n := specificity(solvers[i].Selector, name); n > most && isKind(solvers[i]) {
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
