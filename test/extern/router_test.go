// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

//go:build extern

package extern

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/controllers/order"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// startRouter runs Traefik for all Ingresses of the cluster, and returns its address.
func startRouter(t *testing.T) string {
	t.Helper()
	address := loopback(freePort(t))
	t.Setenv("KUBECONFIG", env.Kubeconfig(t))
	start(t, program(t, "extern/traefik"), "--entrypoints.web.address="+address, "--log.level=INFO",
		"--providers.kubernetesingress", "--providers.kubernetesingress.allowexternalnameservices",
		"--providers.kubernetesingress.throttleduration=100ms",
		"--global.checknewversion=false", "--global.sendanonymoususage=false")
	wait(t, "the router listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return address
}

// service leads to a server on the loopback. Endpoints may not be there, but what a name resolves to may.
func service(namespace, name string, server *httptest.Server) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeExternalName, ExternalName: "localhost",
			Ports: []corev1.ServicePort{{Port: portOf(server)}},
		},
	}
}

func portOf(server *httptest.Server) int32 {
	return int32(server.Listener.Addr().(*net.TCPAddr).Port) //nolint:gosec // a port
}

// theirs is an Ingress that somebody has for the same host in another namespace.
func theirs(namespace string, port int32) *unstructured.Unstructured {
	ingress := &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs"},
		Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{
			Host: gen.Domain,
			IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
					Path: "/", PathType: new(networkingv1.PathTypePrefix),
					Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
						Name: "theirs", Port: networkingv1.ServiceBackendPort{Number: port},
					}},
				}}}},
		}}},
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(ingress)
	if err != nil {
		panic(err) // it is the same every time
	}
	return &unstructured.Unstructured{Object: object}
}

// TestARouterLeadsToTheFileBesideSomebodyElsesSite lets the CA come in by a real router.
func TestARouterLeadsToTheFileBesideSomebodyElsesSite(t *testing.T) {
	router := startRouter(t)
	e := env.New(t, cassim.Options{WebAddr: router})
	files := httptest.NewServer(&httpfile.Server{Files: &order.Files{Orders: e.Client}})
	t.Cleanup(files.Close)
	site := httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "their site") }))
	t.Cleanup(site.Close)
	e.Configure = func(remote *access.Remote) {
		e.Web(router)(remote)
		remote.Kube = env.Client(t) // others write, too
		remote.Backend.Port = portOf(files)
	}
	e.Restart()
	e.Create(service(e.Namespace, "aliyun-issuer-files", files))
	elsewhere := env.Namespace(t, e.Client)
	e.Create(service(elsewhere, "theirs", site))
	e.Create(theirs(elsewhere, portOf(site)))
	answer := func(path string) string { return get(t, "http://"+router+path, gen.Domain) }
	wait(t, "their site is there", func() bool { return answer("/") == "their site" })

	askFor(e, v1alpha1.Solver{File: &v1alpha1.FileSolver{Ingress: &v1alpha1.IngressSolver{}}})
	content := untilPresented(e)
	path := e.Orders()[0].Status.Validations[0].Zone
	wait(t, "the router leads to the file", func() bool { return answer(path) == content })
	if got := answer("/"); got != "their site" {
		t.Errorf("their site is %q", got)
	}
	e.Until(time.Hour, isReady(e))
	e.Pass(time.Hour)
	wait(t, "the router leads to their site only", func() bool { return answer(path) == "their site" })
	left := &unstructured.UnstructuredList{}
	left.SetGroupVersionKind(httpfile.IngressKind)
	if err := env.Client(t).List(t.Context(), left); err != nil || len(left.Items) != 1 {
		t.Errorf("left behind: %+v, %v", left.Items, err)
	}
}

func get(t *testing.T, url, host string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
