// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"encoding/json"
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

const solverName = "simulated-dns"

// provider is a webhook for zones of the simulator, written as those of DNS providers are.
type provider struct {
	group  string
	answer string // what calls are refused with, if it is set

	zones *cassim.Server
	mutex sync.Mutex
	told  map[string][]*whapi.ChallengeRequest
	ids   map[string]string
}

func (p *provider) Name() string { return solverName }

func (p *provider) Initialize(*rest.Config, <-chan struct{}) error { return nil }

func (p *provider) Present(ch *whapi.ChallengeRequest) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.answer != "" {
		return errors.New(p.answer)
	}
	p.told["Present"] = append(p.told["Present"], ch)
	zone := strings.TrimSuffix(ch.ResolvedZone, ".")
	relative := strings.TrimSuffix(strings.TrimSuffix(ch.ResolvedFQDN, "."), "."+zone)
	if p.ids[ch.Key] == "" {
		p.ids[ch.Key] = p.zones.AddRecord(zone, relative, "TXT", ch.Key)
	}
	return nil
}

func (p *provider) CleanUp(ch *whapi.ChallengeRequest) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.told["CleanUp"] = append(p.told["CleanUp"], ch)
	p.zones.RemoveRecord(p.ids[ch.Key])
	delete(p.ids, ch.Key)
	return nil
}

func (p *provider) refuse(answer string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.answer = answer
}

func (p *provider) calls(action string) []*whapi.ChallengeRequest {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.told[action]
}

// serve runs a webhook on the loopback, and registers it. Each test has its own API group.
func serve(t *testing.T, zones *cassim.Server) *provider {
	t.Helper()
	kube := env.Client(t)
	namespace := env.Namespace(t, kube)
	p := &provider{group: namespace + ".acme.example.com", zones: zones, told: map[string][]*whapi.ChallengeRequest{}, ids: map[string]string{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := server.NewWebhookServerOptions(p.group, p)
	options.RecommendedOptions.SecureServing.Listener = listener
	options.RecommendedOptions.SecureServing.BindAddress = net.ParseIP("127.0.0.1")
	options.RecommendedOptions.SecureServing.ServerCert.CertDirectory = t.TempDir()
	kubeconfig := env.Kubeconfig(t)
	options.RecommendedOptions.Authentication.RemoteKubeConfigFile = kubeconfig
	options.RecommendedOptions.Authorization.RemoteKubeConfigFile = kubeconfig
	options.RecommendedOptions.CoreAPI.CoreAPIKubeconfigPath = kubeconfig
	options.RecommendedOptions.Authorization.DenyCacheTTL = time.Millisecond // a right that a test grants counts at once
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- options.RunWebhookServer(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the webhook ended: %v", err)
		}
	})
	register(t, kube, namespace, p.group, int32(listener.Addr().(*net.TCPAddr).Port)) //nolint:gosec // a port
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
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1alpha1." + group},
		"spec": map[string]any{
			"group": group, "version": "v1alpha1", "groupPriorityMinimum": int64(1000), "versionPriority": int64(15), "insecureSkipTLSVerify": true,
			"service": map[string]any{"namespace": namespace, "name": service.Name, "port": int64(port)},
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
	for deadline := time.Now().Add(time.Minute); !isAvailable(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the webhook is not available: %v", api.Object["status"])
		}
	}
}

// canonical spells JSON in one way.
func canonical(t *testing.T, raw []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
