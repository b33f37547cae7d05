// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// Says whether the solvers of two orders publish a validation in the same place, if perhaps with other credentials:
// with corrected credentials, a solver can remove what was published before.
func sharePlace(a, b *v1alpha1.AliyunOrder, validation *v1alpha1.OrderValidation) bool {
	return equality.Semantic.DeepEqual(placeOf(orders.SolverOf(a, validation)), placeOf(orders.SolverOf(b, validation)))
}

// Returns a solver without what may change while the record stays where it is.
func placeOf(solver v1alpha1.Solver) v1alpha1.Solver {
	place := *solver.DeepCopy()
	if dns := place.DNS; dns != nil {
		switch {
		case dns.Alidns != nil:
			dns.Alidns.Credentials = nil
		case dns.RFC2136 != nil:
			dns.RFC2136 = &v1alpha1.RFC2136Solver{Nameserver: dns.RFC2136.Nameserver}
		case dns.Webhook != nil:
			dns.Webhook.Config = nil
		case dns.DNSEndpoint != nil:
			dns.DNSEndpoint = &v1alpha1.DNSEndpointSolver{}
		}
	}
	if file := place.File; file != nil {
		switch {
		case file.Ingress != nil:
			file.Ingress = &v1alpha1.IngressSolver{}
		case file.GatewayHTTPRoute != nil:
			file.GatewayHTTPRoute = &v1alpha1.HTTPRouteSolver{}
		}
	}
	return place
}
