// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"net/http"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// allow restarts the manager with another policy for routes, as an operator does who changes the chart value.
func allow(e *env.Env, routes access.RoutePolicy) {
	before := e.Configure
	e.Configure = func(remote *access.Remote) {
		before(remote)
		remote.Policy.Routes = routes
	}
	e.Restart()
}

func onIngress(modify func(*v1alpha1.IngressSolver)) *v1alpha1.FileSolver {
	ingress := &v1alpha1.IngressSolver{}
	modify(ingress)
	return &v1alpha1.FileSolver{Ingress: ingress}
}

func onGateway(parent v1alpha1.ParentReference) *v1alpha1.FileSolver {
	return &v1alpha1.FileSolver{
		GatewayHTTPRoute: &v1alpha1.HTTPRouteSolver{ParentRefs: []v1alpha1.ParentReference{parent}}}
}

// TestATenantHasOnlyRoutesMadeThatTheOperatorAllows orders for a host whose file is served, with a solver that asks for
// more than the policy allows: nothing is bought and no route is made until the operator does what the message says.
func TestATenantHasOnlyRoutesMadeThatTheOperatorAllows(t *testing.T) {
	annotated := onIngress(func(i *v1alpha1.IngressSolver) {
		i.Annotations = map[string]string{"nginx.ingress.kubernetes.io/server-alias": "shop.other-team.example"}
	})
	labelled := onIngress(func(i *v1alpha1.IngressSolver) {
		i.Labels = map[string]string{"app.kubernetes.io/managed-by": "platform"}
	})
	for name, test := range map[string]struct {
		solver *v1alpha1.FileSolver
		name   string
		before access.RoutePolicy
		told   string
		after  func(*access.RoutePolicy)
	}{
		"no domain at all": {onIngress(func(*v1alpha1.IngressSolver) {}), "shop.example.com", access.RoutePolicy{},
			`the AliyunIssuers of the namespace "NAMESPACE" may not have files routed`, nil},
		"a domain of another namespace": {onIngress(func(*v1alpha1.IngressSolver) {}), "shop.example.com",
			access.RoutePolicy{Domains: map[string][]string{"other": {"example.com"}}},
			`the AliyunIssuers of the namespace "NAMESPACE" may not have files routed`, nil},
		"another domain": {onIngress(func(*v1alpha1.IngressSolver) {}), "shop.example.com", domains("team.example.com"),
			`may not have a file for "shop.example.com" routed: let the operator list its domain`, nil},
		"a domain whose parent the CA looks at, too": {onIngress(func(*v1alpha1.IngressSolver) {}), "www.example.com",
			domains("www.example.com"),
			`may not have a file for "example.com" routed`, nil},
		"an annotation": {annotated, "shop.example.com", domains("example.com"),
			`may not put the label or annotation "nginx.ingress.kubernetes.io/server-alias" on a route`,
			func(p *access.RoutePolicy) { p.Keys = []string{"nginx.ingress.kubernetes.io/server-alias"} }},
		"a label": {labelled, "shop.example.com", domains("example.com"),
			`may not put the label or annotation "app.kubernetes.io/managed-by" on a route`,
			func(p *access.RoutePolicy) { p.Keys = []string{"app.kubernetes.io/managed-by"} }},
		"a Gateway of the operator": {onGateway(v1alpha1.ParentReference{Name: "web", Namespace: "internal"}),
			"shop.example.com", domains("example.com"),
			`may not attach to a Gateway in the namespace "internal"`,
			func(p *access.RoutePolicy) { p.GatewayNamespaces = []string{"internal"} }},
		"a Gateway beside the controller": {onGateway(v1alpha1.ParentReference{Name: "web"}), "shop.example.com",
			domains("example.com"),
			`may not attach to a Gateway in the namespace "NAMESPACE"`,
			func(p *access.RoutePolicy) { p.GatewayNamespaces = []string{"NAMESPACE"} }},
	} {
		t.Run(name, func(t *testing.T) {
			e, site := withFile(t, test.solver, test.name, cassim.Knobs{})
			kind := httpfile.IngressKind
			if test.solver.GatewayHTTPRoute != nil {
				kind = httpfile.HTTPRouteKind
			}
			site.answer = e.Router(kind)
			allow(e, inNamespace(e, test.before))
			e.Pass(20 * time.Minute)
			if text := said(e); !strings.Contains(text, test.told) ||
				!strings.Contains(text, v1alpha1.ReasonRouteNotAllowed) {
				t.Errorf("they are told\n%s\nwant %s", text, test.told)
			}
			billed(t, e, 0)
			noRoutes(t, e)
			listed := domains("example.com")
			if test.after != nil {
				test.after(&listed)
			}
			allow(e, inNamespace(e, listed))
			e.Until(time.Hour, isReady(e))
		})
	}
}

// domains are for the namespace of the test.
func domains(names ...string) access.RoutePolicy {
	return access.RoutePolicy{Domains: map[string][]string{"NAMESPACE": names}}
}

func inNamespace(e *env.Env, p access.RoutePolicy) access.RoutePolicy {
	if names, ok := p.Domains["NAMESPACE"]; ok {
		p.Domains = map[string][]string{e.Namespace: names}
	}
	for i := range p.GatewayNamespaces {
		p.GatewayNamespaces[i] = strings.ReplaceAll(p.GatewayNamespaces[i], "NAMESPACE", e.Namespace)
	}
	return p
}

func noRoutes(t *testing.T, e *env.Env) {
	t.Helper()
	for _, kind := range []schema.GroupVersionKind{httpfile.IngressKind, httpfile.HTTPRouteKind} {
		if routes := e.Objects(kind); len(routes) > 0 {
			t.Errorf("there is a route: %+v", routes)
		}
	}
}

// TestAnHTTPRouteOfATenantAttachesToGatewaysOnly names a Service, which would take its traffic.
func TestAnHTTPRouteOfATenantAttachesToGatewaysOnly(t *testing.T) {
	e, site := withFile(t, onGateway(
		v1alpha1.ParentReference{Group: "core", Kind: "Service", Name: "shop", Namespace: "gateways"}),
		"shop.example.com", cassim.Knobs{})
	e.Pass(20 * time.Minute)
	if text := said(e); !strings.Contains(text, `may attach to a Gateway only, and not to "shop": correct parentRefs`) {
		t.Errorf("they are told %s", text)
	}
	billed(t, e, 0)
	noRoutes(t, e)

	issuer := theIssuer(e)
	issuer.Spec.Solvers[0].File.GatewayHTTPRoute.ParentRefs = []v1alpha1.ParentReference{
		{Name: "web", Namespace: "gateways"}}
	site.answer = e.Router(httpfile.HTTPRouteKind)
	orderedAnew(e, issuer)
}

// TestAHostThatIsNotAllowedIsOrderedWithAnotherSolver does the other thing that the message says: a DNS solver, and
// another request, as cert-manager makes it.
func TestAHostThatIsNotAllowedIsOrderedWithAnotherSolver(t *testing.T) {
	e, _ := withFile(t, onIngress(func(*v1alpha1.IngressSolver) {}), "shop.example.com", cassim.Knobs{})
	allow(e, inNamespace(e, domains("team.example.com")))
	e.Pass(20 * time.Minute)
	const advice = "or give the issuer a DNS solver for it, and delete the CertificateRequest, for which nothing is " +
		"ordered yet"
	if text := said(e); !strings.Contains(text, advice) {
		t.Errorf("they are told %s", text)
	}
	issuer := theIssuer(e)
	issuer.Spec.Solvers = gen.IssuerSpec(e.Simulator.URL()).Solvers
	orderedAnew(e, issuer)
}

// orderedAnew changes the issuer and deletes the request, for which nothing is ordered yet, and waits for the next one.
func orderedAnew(e *env.Env, issuer *v1alpha1.AliyunIssuer) {
	e.T.Helper()
	if err := e.Client.Update(e.T.Context(), issuer); err != nil {
		e.T.Fatal(err)
	}
	remove(e, e.Request("www"))
	e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key(), named("shop.example.com"))))
	e.Decide("www", cmapi.CertificateRequestConditionApproved)
	e.Until(time.Hour, isReady(e))
	billed(e.T, e, 1)
}

// TestARouteThatIsNoLongerAllowedIsStillRemoved takes the domain away while the file waits for the CA.
func TestARouteThatIsNoLongerAllowedIsStillRemoved(t *testing.T) {
	e, site := withFile(t, onIngress(func(*v1alpha1.IngressSolver) {}), "shop.example.com", cassim.Knobs{})
	site.answer = http.NotFound
	e.Until(10*time.Minute, func() bool { return len(e.Objects(httpfile.IngressKind)) == 1 })
	allow(e, access.RoutePolicy{})
	order := onlyOrder(t, e)
	remove(e, e.Request("www"))
	remove(e, order)
	e.Pass(time.Hour)
	noRoutes(t, e)
}

// TestAClusterIssuersRoutesAreItsOperatorsAndBearOurMarkAllTheSame tries to overwrite the labels by which a route is
// known.
func TestAClusterIssuersRoutesAreItsOperatorsAndBearOurMarkAllTheSame(t *testing.T) {
	e := env.New(t, cassim.Options{})
	e.Configure = e.Web("127.0.0.1:1")
	e.Restart()
	allow(e, access.RoutePolicy{})
	clusterIssuer(e, nil, nil, func(s *v1alpha1.IssuerSpec) {
		s.Solvers = []v1alpha1.Solver{{File: onIngress(func(i *v1alpha1.IngressSolver) {
			i.Annotations = map[string]string{"router.example/redirect": "off",
				httpfile.OrderAnnotation: "forged/forged"}
			i.Labels = map[string]string{httpfile.OrderLabel: "forged"}
		})}}
	})
	request(e, "shop.example.com")
	e.Until(10*time.Minute, func() bool { return len(e.Objects(httpfile.IngressKind)) == 1 })
	route, order := e.Objects(httpfile.IngressKind)[0], onlyOrder(t, e)
	if route.GetLabels()[httpfile.OrderLabel] != string(order.UID) ||
		route.GetAnnotations()[httpfile.OrderAnnotation] != order.Namespace+"/"+order.Name {
		t.Errorf("the route bears %v, %v", route.GetLabels(), route.GetAnnotations())
	}
	if route.GetAnnotations()["router.example/redirect"] != "off" {
		t.Errorf("the operator's annotation is not there: %v", route.GetAnnotations())
	}
	if owner := metav1.GetControllerOf(&route); owner != nil {
		t.Errorf("the route has the owner %+v", owner)
	}
}
