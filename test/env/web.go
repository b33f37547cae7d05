// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/controllers/order"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
)

// filesService is the Service to which routes to files lead.
const filesService = "aliyun-issuer-files"

// Web lets the reconcilers make routes in the namespace, and look for files at the address, which stands for port 80 of
// every host. Nobody serves port 443. It is for Configure.
func (e *Env) Web(address string) func(*access.Remote) {
	return func(remote *access.Remote) {
		remote.Policy.Routes = access.RoutePolicy{
			Domains: map[string][]string{e.Namespace: {cassim.DefaultZone}}, Keys: []string{"a"},
			GatewayNamespaces: []string{"gateways"},
		}
		remote.Backend = httpfile.Backend{Namespace: e.Namespace, Name: filesService, Port: 80}
		remote.FileCheck = &httpfile.SelfCheck{Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
			if strings.HasSuffix(to, ":443") {
				to = "127.0.0.1:1"
			} else {
				to = address
			}
			return (&net.Dialer{}).DialContext(ctx, network, to)
		}}
	}
}

// Router serves the files of Orders where a route of the kind leads to their Service, and nothing else.
func (e *Env) Router(kind schema.GroupVersionKind) http.HandlerFunc {
	files := &httpfile.Server{Files: &order.Files{Orders: e.Client}}
	return func(w http.ResponseWriter, r *http.Request) {
		for _, route := range e.Objects(kind) {
			if leadsToFile(route, r.Host, r.URL.Path) {
				files.ServeHTTP(w, r)
				return
			}
		}
		http.NotFound(w, r)
	}
}

// Objects are all of a kind in the namespace.
func (e *Env) Objects(kind schema.GroupVersionKind) []unstructured.Unstructured {
	e.T.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind)
	if err := e.Client.List(e.T.Context(), list, client.InNamespace(e.Namespace)); err != nil {
		e.T.Fatal(err)
	}
	return list.Items
}

func leadsToFile(route unstructured.Unstructured, host, path string) bool {
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	hostnames, _, _ := unstructured.NestedStringSlice(route.Object, "spec", "hostnames")
	for _, rule := range rules {
		rule := rule.(map[string]any)
		if paths, _, _ := unstructured.NestedSlice(rule, "http", "paths"); len(paths) == 1 { // an Ingress
			only := paths[0].(map[string]any)
			service, _, _ := unstructured.NestedString(only, "backend", "service", "name")
			if rule["host"] == host && only["path"] == path && service == filesService {
				return true
			}
		}
		if matches, _, _ := unstructured.NestedSlice(rule, "matches"); len(matches) == 1 { // an HTTPRoute
			value, _, _ := unstructured.NestedString(matches[0].(map[string]any), "path", "value")
			if slices.Contains(hostnames, host) && value == path {
				return true
			}
		}
	}
	return false
}
