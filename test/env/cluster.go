// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package env gives a test a real API server with our kinds and cert-manager's, a simulator of CAS, a clock of its
// own, and the reconcilers, which it runs step by step.
package env

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// config and kubeconfig reach the API server that all tests of a package share.
var (
	config     *rest.Config
	kubeconfig []byte
)

// Main starts the API server, runs the tests of a package, and stops it. TestMain calls it.
func Main(m *testing.M) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // what reconcilers log is kept by each Env
	os.Exit(run(m))
}

func run(m *testing.M) int {
	root, certManager, err := folders()
	if err != nil {
		fmt.Fprintln(os.Stderr, "the CRDs could not be found:", err)
		return 1
	}
	server := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(root, "config/crd/bases"), filepath.Join(certManager, "deploy/crds"), filepath.Join(root, "test/env/crds")},
		ErrorIfCRDPathMissing: true,
	}
	// Without its cache of watches, a list does not wait for the cache to catch up, which takes 100 ms after a write.
	server.ControlPlane.GetAPIServer().Configure().Set("watch-cache", "false")
	identities, err := os.MkdirTemp("", "front-proxy")
	if err == nil {
		defer func() { _ = os.RemoveAll(identities) }() // a leftover in the folder for temporary files
		err = aggregate(server.ControlPlane.GetAPIServer(), identities)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the API server could not be given its identity:", err)
		return 1
	}
	if config, err = server.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "the API server did not start ('make test' builds it):", err)
		return 1
	}
	config.QPS = -1 // the API server is the tests' own
	kubeconfig = server.KubeConfig
	defer func() {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "the API server did not stop:", err)
		}
	}()
	return m.Run()
}

// folders are the repository and cert-manager's module.
func folders() (root, certManager string, err error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aliyun-issuer/aliyun-issuer", "github.com/cert-manager/cert-manager").Output()
	if err != nil {
		return "", "", err
	}
	lines := strings.Fields(string(out))
	if len(lines) != 2 {
		return "", "", fmt.Errorf("go list printed %q", out)
	}
	return lines[0], lines[1], nil
}

// Scheme knows every kind that the tests use.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, authenticationv1.AddToScheme, rbacv1.AddToScheme, coordinationv1.AddToScheme, admissionregistrationv1.AddToScheme, eventsv1.AddToScheme, cmapi.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
}

// Kubeconfig is a file for processes that talk to the API server as its administrator.
func Kubeconfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
