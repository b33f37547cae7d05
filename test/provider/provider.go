// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package provider is a DNS01 webhook of cert-manager for zones of the simulator, built with cert-manager's own server
// library as those of DNS providers are, and registered with the API server.
package provider

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	whapi "github.com/cert-manager/cert-manager/pkg/acme/webhook/apis/acme/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/acme/webhook/cmd/server"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// SolverName is that of the webhook.
const SolverName = "simulated-dns"

// Provider serves the zones of those who are attached.
type Provider struct {
	// Group is the API group of the webhook.
	Group string

	mutex  sync.Mutex
	answer string
	zones  map[string]*cassim.Server
	told   map[string][]*whapi.ChallengeRequest
	ids    map[string]string
}

// Name is what cert-manager's library asks for.
func (p *Provider) Name() string { return SolverName }

// Initialize has nothing to do.
func (p *Provider) Initialize(*rest.Config, <-chan struct{}) error { return nil }

// Present publishes a record.
func (p *Provider) Present(ch *whapi.ChallengeRequest) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.answer != "" {
		return errors.New(p.answer)
	}
	p.told["Present"] = append(p.told["Present"], ch)
	zone := strings.TrimSuffix(ch.ResolvedZone, ".")
	relative := strings.TrimSuffix(strings.TrimSuffix(ch.ResolvedFQDN, "."), "."+zone)
	if which := ch.ResourceNamespace + "/" + ch.Key; p.ids[which] == "" {
		p.ids[which] = p.zones[ch.ResourceNamespace].AddRecord(zone, relative, "TXT", ch.Key)
	}
	return nil
}

// CleanUp removes what Present published.
func (p *Provider) CleanUp(ch *whapi.ChallengeRequest) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.told["CleanUp"] = append(p.told["CleanUp"], ch)
	which := ch.ResourceNamespace + "/" + ch.Key
	if p.ids[which] != "" {
		p.zones[ch.ResourceNamespace].RemoveRecord(p.ids[which])
	}
	delete(p.ids, which)
	return nil
}

// Attach names the simulator whose zones are published in for the issuers of a namespace.
func (p *Provider) Attach(namespace string, zones *cassim.Server) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.zones[namespace] = zones
}

// Refuse answers every Present with an error, until it is given "".
func (p *Provider) Refuse(answer string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.answer = answer
}

// Calls are what it was told by Present or CleanUp.
func (p *Provider) Calls(action string) []*whapi.ChallengeRequest {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.told[action]
}

// Serve runs a webhook on the loopback until the test ends, and registers it by an API group of its own.
func Serve(t *testing.T) *Provider {
	t.Helper()
	kube := env.Client(t)
	namespace := env.Namespace(t, kube)
	p := &Provider{
		Group: namespace + ".acme.example.com",
		zones: map[string]*cassim.Server{}, told: map[string][]*whapi.ChallengeRequest{}, ids: map[string]string{},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := server.NewWebhookServerOptions(p.Group, p)
	options.RecommendedOptions.SecureServing.Listener = listener
	options.RecommendedOptions.SecureServing.BindAddress = net.ParseIP("127.0.0.1")
	options.RecommendedOptions.SecureServing.ServerCert.CertDirectory = t.TempDir()
	kubeconfig := env.Kubeconfig(t)
	options.RecommendedOptions.Authentication.RemoteKubeConfigFile = kubeconfig
	options.RecommendedOptions.Authorization.RemoteKubeConfigFile = kubeconfig
	options.RecommendedOptions.CoreAPI.CoreAPIKubeconfigPath = kubeconfig
	// a right that a test grants counts at once
	options.RecommendedOptions.Authorization.DenyCacheTTL = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- options.RunWebhookServer(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the webhook ended: %v", err)
		}
	})
	register(t, kube, namespace, p.Group, int32(listener.Addr().(*net.TCPAddr).Port)) //nolint:gosec // a port
	return p
}

// register makes the webhook part of the API server's API, and waits until it is.
func register(t *testing.T, kube client.Client, namespace, group string, port int32) {
	t.Helper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "webhook"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"},
	}
	api := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": "v1alpha1." + group},
		"spec": map[string]any{
			"group": group, "version": "v1alpha1", "groupPriorityMinimum": int64(1000), "versionPriority": int64(15),
			"insecureSkipTLSVerify": true,
			"service":               map[string]any{"namespace": namespace, "name": service.Name, "port": int64(port)},
		},
	}}
	for _, object := range []client.Object{service, api} {
		if err := kube.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = kube.Delete(context.WithoutCancel(t.Context()), api) }) // the API server ends soon after
	isAvailable := func() bool {
		if err := kube.Get(t.Context(), client.ObjectKeyFromObject(api), api); err != nil {
			t.Fatal(err)
		}
		conditions, _, _ := unstructured.NestedSlice(api.Object, "status", "conditions")
		for _, c := range conditions {
			if c := c.(map[string]any); c["type"] == "Available" && c["status"] == "True" {
				return true
			}
		}
		return false
	}
	for deadline := time.Now().Add(env.Patience); !isAvailable(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the webhook is not available: %v", api.Object["status"])
		}
	}
}
