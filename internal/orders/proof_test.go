// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// TestEachValidationIsForOneNameAndItsSolver has an order with a solver for each name, and www.a.example.com, which the
// CA adds by itself.
func TestEachValidationIsForOneNameAndItsSolver(t *testing.T) {
	names := []string{"a.example.com", "*.a.example.com", "b.example.com", "x.b.example.com", "B.example.org"}
	order := &v1alpha1.AliyunOrder{Spec: v1alpha1.OrderSpec{DNSNames: append(names, "www.a.example.com")}}
	for _, name := range names {
		order.Spec.Solvers = append(order.Spec.Solvers, v1alpha1.OrderSolver{DNSNames: []string{name},
			Solver: v1alpha1.Solver{Selector: &v1alpha1.SolverSelector{DNSNames: []string{name}}}})
	}
	for _, test := range []struct{ domain, record, name, solver string }{
		{"a.example.com", "_dnsauth.a.example.com", "a.example.com", "a.example.com"},
		{"*.a.example.com", "_dnsauth.a.example.com", "*.a.example.com", "*.a.example.com"},
		{"x.b.example.com", "_dnsauth.x.b", "x.b.example.com", "x.b.example.com"},
		{"b.example.org", "_dnsauth.b", "B.example.org", "B.example.org"},
		{"example.com", "_dnsauth.example.com", "a.example.com", "a.example.com"},
		{"example.com", "_dnsauth.b.example.com.", "b.example.com", "b.example.com"},
		{"example.org", "_dnsauth.example.org", "B.example.org", "B.example.org"},
		{"www.a.example.com", "_dnsauth.www.a.example.com", "www.a.example.com", "a.example.com"},
		{"example.net", "_dnsauth.example.net", "", "a.example.com"},
	} {
		v := &v1alpha1.OrderValidation{Domain: test.domain, RecordName: test.record, RecordType: "TXT"}
		solver := SolverOf(order, v).Selector.DNSNames[0]
		if name := NameOf(order, v); name != test.name || solver != test.solver {
			t.Errorf("%s at %s: got %q by the solver for %q", test.domain, test.record, name, solver)
		}
	}
}
