// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
)

func TestTheSolverWhoseSelectorSaysMostIsChosen(t *testing.T) {
	zones := func(zones ...string) *v1alpha1.SolverSelector { return &v1alpha1.SolverSelector{DNSZones: zones} }
	names := func(names ...string) *v1alpha1.SolverSelector { return &v1alpha1.SolverSelector{DNSNames: names} }
	selectors := []*v1alpha1.SolverSelector{
		0: zones("com", "example.com"),
		1: nil,
		2: nil,
		3: zones("sub.example.com"),
		4: names("www.sub.example.com", "*.sub.example.com"),
		5: {DNSNames: []string{"www.example.org"}, DNSZones: []string{"example.org"}},
		6: zones("example.org"),
	}
	var solvers []v1alpha1.Solver
	for _, selector := range selectors {
		solvers = append(solvers, v1alpha1.Solver{Selector: selector})
	}
	for name, want := range map[string]int{
		"example.com":           0,
		"www.example.com":       0,
		"*.example.com":         0,
		"sub.example.com":       3,
		"*.www.sub.example.com": 3,
		"www.sub.example.com":   4,
		"*.sub.example.com":     4,
		"api.sub.example.com":   3,
		"badexample.com":        0, // by "com"
		"example.net":           1,
		"example.org":           5, // the first of equals
		"www.example.org":       5,
	} {
		if got := chooseSolver(solvers,
			csr.Asks{CommonName: name, DNSNames: []string{name}}, []string{name}); got != &solvers[want] {
			t.Errorf("%s: got the solver for %+v, want number %d", name, got.Selector, want)
		}
	}
	if got := chooseSolver(solvers[3:], csr.Asks{CommonName: "example.com"}, nil); got != nil {
		t.Errorf("got the solver for %+v, want none", got.Selector)
	}
}

// TestAFileProvesNamesThatAreProvedAndNoWildcard has an issuer with a solver for files only.
func TestAFileProvesNamesThatAreProvedAndNoWildcard(t *testing.T) {
	solvers := []v1alpha1.Solver{{File: &v1alpha1.FileSolver{Manual: &v1alpha1.ManualSolver{}}}}
	for _, test := range []struct {
		names, proved []string
		why           string
	}{
		{[]string{"example.com"}, []string{"example.com"}, ""},
		{[]string{"example.com", "a.example.com"}, []string{"example.com", "a.example.com"}, ""},
		{[]string{"*.example.com"}, []string{"*.example.com"}, "no CA takes a file for a wildcard"},
		{[]string{"example.com", "*.example.com"}, []string{"example.com", "*.example.com"},
			"no CA takes a file for a wildcard"},
		{[]string{"example.com", "www.example.com"}, []string{"example.com"},
			`CAs add "www.example.com" only to what was validated by DNS`},
	} {
		got := chooseSolver(solvers, csr.Asks{CommonName: test.names[0], DNSNames: test.names}, test.proved)
		if why := needsDNS(test.names, test.proved); why != test.why || (got != nil) != (why == "") {
			t.Errorf("%v, of which %v are proved: got %+v, because %q", test.names, test.proved, got, why)
		}
	}
}
