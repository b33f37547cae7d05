// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"reflect"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
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
		solvers = append(solvers, v1alpha1.Solver{Selector: selector, DNS: &v1alpha1.DNSSolver{}})
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
		got, missing := chooseSolvers(solvers, []string{name}, []string{name})
		if missing != nil || len(got) != 1 || got[0].Solver.DNS != solvers[want].DNS {
			t.Errorf("%s: got %+v, %+v, want number %d", name, got, missing, want)
		}
	}
	if got, missing := chooseSolvers(solvers[3:], []string{"example.com"}, []string{"example.com"}); missing == nil {
		t.Errorf("got %+v, want none", got)
	}
}

// TestEachNameHasItsSolverAndAllOfOneKind compares the numbers of the solvers that are chosen.
func TestEachNameHasItsSolverAndAllOfOneKind(t *testing.T) {
	zone := func(zone string) *v1alpha1.SolverSelector { return &v1alpha1.SolverSelector{DNSZones: []string{zone}} }
	dns := func(zoned *v1alpha1.SolverSelector) v1alpha1.Solver {
		return v1alpha1.Solver{Selector: zoned, DNS: &v1alpha1.DNSSolver{}}
	}
	file := func(zoned *v1alpha1.SolverSelector) v1alpha1.Solver {
		return v1alpha1.Solver{Selector: zoned, File: &v1alpha1.FileSolver{}}
	}
	com, net, org := "a.example.com", "a.example.net", "a.example.org"
	for name, test := range map[string]struct {
		solvers []v1alpha1.Solver
		names   []string
		want    map[int][]string
		missing string
	}{
		"one for all": {[]v1alpha1.Solver{dns(nil)}, []string{com, org}, map[int][]string{0: {com, org}}, ""},
		"each its own": {[]v1alpha1.Solver{dns(zone("example.org")), dns(nil)}, []string{com, org, net},
			map[int][]string{1: {com, net}, 0: {org}}, ""},
		"of the first name's kind": {[]v1alpha1.Solver{dns(nil), file(zone("example.com"))}, []string{org, com},
			map[int][]string{0: {org, com}}, ""},
		"files, as the first name": {[]v1alpha1.Solver{dns(zone("example.org")), file(nil), file(zone("example.net"))},
			[]string{com, org, net}, map[int][]string{1: {com, org}, 2: {net}}, ""},
		"the other kind, which is there for all": {[]v1alpha1.Solver{file(zone("example.com")), dns(nil)},
			[]string{com, org}, map[int][]string{1: {com, org}}, ""},
		"DNS for a wildcard": {[]v1alpha1.Solver{file(nil), dns(nil)}, []string{com, "*." + org},
			map[int][]string{1: {com, "*." + org}}, ""},
		"no kind for all": {[]v1alpha1.Solver{file(zone("example.com")), dns(zone("example.org"))}, []string{com, org},
			nil, `no file solver of it matches "a.example.org", only one of another kind, and all names of a request ` +
				`are validated alike: add a file solver for it to spec.solvers`},
		"none for one": {[]v1alpha1.Solver{dns(zone("example.com"))}, []string{com, org}, nil,
			`no solver of it matches "a.example.org": add one for it to spec.solvers, or one without a selector`},
		"only files, and a wildcard": {[]v1alpha1.Solver{file(nil)}, []string{com, "*." + org}, nil,
			`no DNS solver of it matches "a.example.com", and no CA takes a file for a wildcard: add one to spec.solvers`},
	} {
		got, missing := chooseSolvers(test.solvers, test.names, test.names)
		if missing != nil {
			if message := missing.message("it"); message != test.missing {
				t.Errorf("%s: it says %q", name, message)
			}
			continue
		}
		chosen := map[int][]string{}
		for _, solver := range got {
			for i, of := range test.solvers {
				if of.DNS == solver.Solver.DNS && of.File == solver.Solver.File {
					chosen[i] = solver.DNSNames
				}
			}
			if solver.Solver.Selector != nil {
				t.Errorf("%s: the selector is kept", name)
			}
		}
		if got[0].DNSNames[0] != test.names[0] || !reflect.DeepEqual(chosen, test.want) {
			t.Errorf("%s: got %v of %+v", name, chosen, got)
		}
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
		got, missing := chooseSolvers(solvers, test.names, test.proved)
		if why := needsDNS(test.names, test.proved); why != test.why || (missing == nil) != (why == "") {
			t.Errorf("%v, of which %v are proved: got %+v, because %q", test.names, test.proved, got, why)
		}
	}
}
