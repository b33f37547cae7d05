// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
)

// RoutePolicy says which routes to the controller AliyunIssuers may have made. A route stands in the namespace of the
// installation, where rules about namespaces and hosts do not tell one tenant from another, and its annotations can
// make the router do whatever it can. The zero value allows no route. An AliyunClusterIssuer may have any: whoever
// writes one is an operator, and bounds it by allowedNamespaces and allowedDomains.
type RoutePolicy struct {
	// Domains lists, by namespace, the domains that its AliyunIssuers may have routes for, with all names below.
	Domains map[string][]string
	// Keys are the keys of labels and annotations that AliyunIssuers may put on routes.
	Keys []string
	// GatewayNamespaces are the namespaces whose Gateways HTTPRoutes may attach to.
	GatewayNamespaces []string
}

// MayRoute returns a problem if the solver needs a route that the installation does not allow, be it for a host of the
// names. A route that was made while it was allowed can still be removed.
func (r *Remote) MayRoute(use Use) error {
	if use.isOfCluster() || use.File == nil || use.File.Manual != nil {
		return nil
	}
	why := r.Policy.Routes.refuses(*use.File, use.home(), r.Backend.Namespace)
	for _, name := range use.Names {
		why = cmp.Or(why, r.Policy.Routes.refusesHosts(use.home(), httpfile.Hosts(dcv.CanonicalName(name))))
	}
	if why == "" {
		return nil
	}
	return &credentials.Problem{Reason: v1alpha1.ReasonRouteNotAllowed, Message: why}
}

// refuses says what is not allowed about all routes of the solver, or "".
func (p RoutePolicy) refuses(file v1alpha1.FileSolver, namespace, home string) string {
	if len(p.Domains[namespace]) == 0 {
		return fmt.Sprintf("the AliyunIssuers of the namespace %q may not have files routed: use a DNS solver, or "+
			"let the operator list the namespace with its domains (chart value issuerRoutes.domains)", namespace)
	}
	var keys []string
	var parents []v1alpha1.ParentReference
	switch {
	case file.Ingress != nil:
		keys = slices.Concat(slices.Sorted(maps.Keys(file.Ingress.Labels)),
			slices.Sorted(maps.Keys(file.Ingress.Annotations)))
	case file.GatewayHTTPRoute != nil:
		keys = slices.Concat(slices.Sorted(maps.Keys(file.GatewayHTTPRoute.Labels)),
			slices.Sorted(maps.Keys(file.GatewayHTTPRoute.Annotations)))
		parents = file.GatewayHTTPRoute.ParentRefs
	}
	for _, key := range keys {
		if !slices.Contains(p.Keys, key) {
			return fmt.Sprintf("an AliyunIssuer may not put the label or annotation %q on a route: remove it, or "+
				"let the operator list it (chart value issuerRoutes.keys)", key)
		}
	}
	for _, parent := range parents {
		if cmp.Or(parent.Group, httpfile.HTTPRouteKind.Group) != httpfile.HTTPRouteKind.Group ||
			cmp.Or(parent.Kind, "Gateway") != "Gateway" {
			return fmt.Sprintf("the HTTPRoute of an AliyunIssuer may attach to a Gateway only, and not to %q: "+
				"correct parentRefs", parent.Name)
		}
		if in := cmp.Or(parent.Namespace, home); !slices.Contains(p.GatewayNamespaces, in) {
			return fmt.Sprintf("the HTTPRoute of an AliyunIssuer may not attach to a Gateway in the namespace %q: "+
				"correct parentRefs, or let the operator list that namespace (chart value "+
				"issuerRoutes.gatewayNamespaces)", in)
		}
	}
	return ""
}

// refusesHosts says which host of a route the namespace may not have, or "".
func (p RoutePolicy) refusesHosts(namespace string, hosts []string) string {
	for _, host := range hosts {
		if !slices.ContainsFunc(p.Domains[namespace], func(domain string) bool { return dcv.Within(host, domain) }) {
			return fmt.Sprintf("the AliyunIssuers of the namespace %q may not have a file for %q routed: let the "+
				"operator list its domain (chart value issuerRoutes.domains), or give the issuer a DNS solver for it",
				namespace, host)
		}
	}
	return ""
}
