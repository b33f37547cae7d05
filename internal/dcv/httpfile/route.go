// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package httpfile

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/kubeobject"
)

// OrderLabel marks a route with the UID of its Order, and OrderAnnotation names the Order for people. The Order cannot
// own the route: an owner has to be in the same namespace, and the route is in that of the controller's Service.
const (
	OrderLabel      = "certmanager.aliyun.com/order-uid"
	OrderAnnotation = "certmanager.aliyun.com/order"
)

// The kinds of routes.
var (
	IngressKind   = schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}
	HTTPRouteKind = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
)

// Backend is the controller's Service for files.
type Backend struct {
	Namespace, Name string
	Port            int32
}

// Config is what a route needs to know.
type Config struct {
	// Kube reads and writes routes past any cache.
	Kube    client.Client
	Backend Backend
	// Name of the route. Each challenge of an order has another one, which stays the same as long as the challenge
	// does.
	Name string
	// Beside are all files that the order of the challenge waits for.
	Beside []dcv.Record
	// OrderUID and Order, as namespace/name, say for whom the route is.
	OrderUID, Order     string
	Labels, Annotations map[string]string
	// IngressClassName of an Ingress, or nil for the default class.
	IngressClassName *string
	// ParentRefs of an HTTPRoute, each as the Gateway API has them.
	ParentRefs []any
}

// Route is a solver that lets requests for the file through to the controller.
type Route struct {
	config Config
	kept   *kubeobject.Keeper
	spec   func(config Config, rec dcv.Record) map[string]any
}

var _ dcv.Solver = (*Route)(nil)

// NewIngress returns a solver that makes an Ingress.
func NewIngress(config Config) *Route {
	return newRoute(config, IngressKind, ingressSpec, "it should, whatever its version", "set the chart value "+
		"solvers.ingress, which grants it get, create, patch and delete in its own namespace")
}

// NewHTTPRoute returns a solver that makes an HTTPRoute.
func NewHTTPRoute(config Config) *Route {
	return newRoute(config, HTTPRouteKind, httpRouteSpec, "install the Gateway API (gateway.networking.k8s.io/v1)",
		"set the chart value solvers.gatewayHTTPRoute, which grants it get, create, patch and delete in its "+
			"own namespace")
}

func newRoute(config Config, kind schema.GroupVersionKind, spec func(Config, dcv.Record) map[string]any, missing,
	forbidden string) *Route {
	return &Route{config: config, spec: spec, kept: &kubeobject.Keeper{
		Kube: config.Kube, Kind: kind, Missing: missing, Forbidden: forbidden,
		IsMarked: func(object *unstructured.Unstructured) bool {
			return config.OrderUID != "" && object.GetLabels()[OrderLabel] == config.OrderUID
		},
	}}
}

// Present implements dcv.Solver. Record.ProviderID is the UID of the route.
func (r *Route) Present(
	ctx context.Context, ch dcv.Challenge, prior *dcv.Record, claim func(context.Context, dcv.Record) error,
) (dcv.Record, error) {
	rec, err := Locate(ch)
	if err != nil {
		return dcv.Record{}, err
	}
	if err := r.enabled(); err != nil {
		return dcv.Record{}, err
	}
	return r.kept.Present(ctx, r.wanted(rec), rec, prior, func(ctx context.Context) (dcv.Record, error) {
		return rec, claim(ctx, rec)
	})
}

// CleanUp implements dcv.Solver. If the installation has no Service any more, it returns a Problem: nobody can tell in
// which namespace the route is.
func (r *Route) CleanUp(ctx context.Context, rec dcv.Record) error {
	if rec.Foreign || rec.FQDN == "" {
		return nil
	}
	if err := r.enabled(); err != nil {
		return err
	}
	return r.kept.CleanUp(ctx, r.config.Backend.Namespace, r.config.Name, rec)
}

// Probe returns an error if the installation has no Service for files, or if routes cannot be read.
func (r *Route) Probe(ctx context.Context) error {
	if err := r.enabled(); err != nil {
		return err
	}
	return r.kept.Probe(ctx, r.config.Backend.Namespace)
}

func (r *Route) enabled() error {
	if r.config.Backend.Name == "" {
		return &dcv.Problem{Message: "the installation has no Service for validation files: set the chart value " +
			"solvers.ingress or solvers.gatewayHTTPRoute"}
	}
	return nil
}

func (r *Route) wanted(rec dcv.Record) *unstructured.Unstructured {
	object := r.kept.New(r.config.Backend.Namespace, r.config.Name)
	labels, annotations := maps.Clone(r.config.Labels), maps.Clone(r.config.Annotations)
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[OrderLabel], annotations[OrderAnnotation] = r.config.OrderUID, r.config.Order
	object.SetLabels(labels)
	object.SetAnnotations(annotations)
	object.Object["spec"] = r.spec(r.config, rec)
	return object
}

func ingressSpec(config Config, rec dcv.Record) map[string]any {
	var rules []any
	for _, host := range hostsOf(rec, config.Beside) {
		rules = append(rules, map[string]any{"host": host, "http": map[string]any{"paths": []any{map[string]any{
			"path": rec.Zone, "pathType": "Exact",
			"backend": map[string]any{
				"service": map[string]any{"name": config.Backend.Name,
					"port": map[string]any{"number": int64(config.Backend.Port)}}},
		}}}})
	}
	spec := map[string]any{"rules": rules}
	if config.IngressClassName != nil {
		spec["ingressClassName"] = *config.IngressClassName
	}
	return spec
}

func httpRouteSpec(config Config, rec dcv.Record) map[string]any {
	var hostnames []any
	for _, host := range hostsOf(rec, config.Beside) {
		hostnames = append(hostnames, host)
	}
	return map[string]any{
		"parentRefs": config.ParentRefs, "hostnames": hostnames,
		"rules": []any{map[string]any{
			"matches":     []any{map[string]any{"path": map[string]any{"type": "Exact", "value": rec.Zone}}},
			"backendRefs": []any{map[string]any{"name": config.Backend.Name, "port": int64(config.Backend.Port)}},
		}},
	}
}
