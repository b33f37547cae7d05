// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/manual"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// chooseSolver returns the solver whose selector says most about the name, or nil if none matches it.
func chooseSolver(solvers []v1alpha1.Solver, name string) *v1alpha1.Solver {
	var chosen *v1alpha1.Solver
	most := 0
	for i := range solvers {
		if n := specificity(solvers[i].Selector, name); n > most {
			chosen, most = &solvers[i], n
		}
	}
	return chosen
}

// specificity is 0 where the selector does not match the name, and the higher the more it says about it.
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

// keysFor reads credentials: those of now, or the last good ones where something must be cleaned up.
type keysFor func(namespace string, credentials v1alpha1.Credentials) rpc.CredentialsFunc

// solver returns what publishes the validation record. namespace is where its Secrets are, and credentials are what it
// uses if it has none of its own. Its error heals only when the issuer is edited.
func (r *Remote) solver(solver v1alpha1.Solver, namespace string, credentials v1alpha1.Credentials, keys keysFor) (dcv.Solver, error) {
	switch {
	case solver.DNS == nil:
		return nil, fmt.Errorf("the solver has no member that this version knows")
	case solver.DNS.Alidns != nil:
		if own := solver.DNS.Alidns.Credentials; own != nil {
			credentials = *own
		}
		return alidns.New(alidns.Config{Endpoint: rpcEndpoint("", solver.DNS.Alidns.Endpoint), Credentials: keys(namespace, credentials)})
	case solver.DNS.Manual != nil:
		return &manual.Solver{Zones: r.SelfCheck}, nil
	default:
		return nil, fmt.Errorf("the DNS solver has no member that this version knows")
	}
}

// isManual says that a person publishes the record; isNone, that nobody has to.
func isManual(order *v1alpha1.AliyunOrder) bool {
	return order.Spec.Solver.DNS != nil && order.Spec.Solver.DNS.Manual != nil
}

func isNone(solver v1alpha1.Solver) bool { return solver.DNS != nil && solver.DNS.None != nil }
