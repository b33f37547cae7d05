// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"slices"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
)

// NameOf returns which of an order's names a validation proves the control of, or "" if it proves that of none. A
// record may be asked for at a domain that several names are below: then its own name tells, if that is below one.
func NameOf(order *v1alpha1.AliyunOrder, v *v1alpha1.OrderValidation) string {
	proved, most := "", 0
	for _, name := range order.Spec.DNSNames {
		if n := closeness(name, v); n > most {
			proved, most = name, n
		}
	}
	return proved
}

// Returns 0 if a validation does not prove the control of a name, and a higher number the closer it is to the name.
func closeness(name string, v *v1alpha1.OrderValidation) int {
	canonical := dcv.CanonicalName(name)
	base, asked := strings.TrimPrefix(canonical, "*."), strings.TrimPrefix(v.Domain, "*.")
	isFile := v.RecordType == dcv.TypeFile // a file at a domain says nothing of the names below
	switch {
	case canonical == v.Domain:
		return 4
	case base == asked:
		return 3
	case isFile && slices.Contains(httpfile.Hosts(base), asked):
		return 2
	case isFile || !dcv.Within(base, asked):
		return 0
	case dcv.Within(dcv.CanonicalName(v.RecordName), base):
		return 2
	default:
		return 1
	}
}

// SolverOf returns the order's solver for a validation: that of the name whose control it proves. A name that the CA
// adds by itself goes with the common name, which is with the first solver.
func SolverOf(order *v1alpha1.AliyunOrder, v *v1alpha1.OrderValidation) v1alpha1.Solver {
	return SolverFor(order, NameOf(order, v))
}

// SolverFor returns the order's solver for one of its names.
func SolverFor(order *v1alpha1.AliyunOrder, name string) v1alpha1.Solver {
	chosen := v1alpha1.OrderSolver{}
	for i, solver := range order.Spec.Solvers {
		if i == 0 || slices.Contains(solver.DNSNames, name) {
			chosen = solver
		}
	}
	return chosen.Solver
}
