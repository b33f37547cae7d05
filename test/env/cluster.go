// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package env gives a test a real API server with our kinds and cert-manager's, a simulator of CAS, a clock of its
// own, and the reconcilers, which it runs step by step.
package env

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// config, kubeconfig and kinds are of the API server that all tests of a package share.
var (
	config     *rest.Config
	kubeconfig []byte
	// kinds are what it serves. A client that is not given them asks for all of them, and reads a long answer.
	kinds meta.RESTMapper
)

// Patience is how long a wait goes on without any event. It does not measure how fast a machine is: only what hangs
// reaches it, and what ends is noticed earlier, by its end.
const Patience = 10 * time.Minute

// Main starts the API server, runs the tests of a package, and stops it. TestMain calls it.
func Main(m *testing.M) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // each Env keeps what its reconcilers log
	os.Exit(run(m))
}

func run(m *testing.M) int {
	identities, err := os.MkdirTemp("", "front-proxy")
	if err != nil {
		fmt.Fprintln(os.Stderr, "the API server could not be given a folder:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(identities) }() // a leftover in the folder for temporary files
	plane, err := start(identities)
	defer func() {
		if err := plane.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "the API server did not stop:", err)
		}
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "the API server did not start ('make test' builds it):", err)
		return 1
	}
	return m.Run()
}

// Returns what has to be stopped, even if it fails. envtest.Environment would do the same, but gives the API server
// five seconds for the first namespace, however busy the machine is.
func start(identities string) (*envtest.ControlPlane, error) {
	plane := &envtest.ControlPlane{Etcd: &envtest.Etcd{StartTimeout: Patience, StopTimeout: Patience}}
	server := plane.GetAPIServer()
	server.StartTimeout, server.StopTimeout = Patience, Patience
	// The API server holds little, so with the default it would spend half of its time on collecting garbage.
	if err := os.Setenv("GOGC", "400"); err != nil {
		return plane, err
	}
	// Without its cache of watches, a list does not wait for the cache to catch up, which takes 100 ms after a write.
	server.Configure().Set("watch-cache", "false")
	if err := aggregate(server, identities); err != nil {
		return plane, err
	}
	if err := plane.Start(); err != nil {
		return plane, err
	}
	// it is the tests' own
	admin, err := plane.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, &rest.Config{QPS: -1})
	if err != nil {
		return plane, err
	}
	config = admin.Config()
	if kubeconfig, err = admin.KubeConfig(); err != nil {
		return plane, err
	}
	return plane, furnish()
}

// furnish installs the CRDs, and returns once they are served and the namespace default is there.
func furnish() error {
	root, certManager, err := folders()
	if err != nil {
		return err
	}
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{
		Paths: []string{filepath.Join(root, "config/crd/bases"), filepath.Join(certManager, "deploy/crds"),
			filepath.Join(root, "test/env/crds")},
		ErrorIfPathMissing: true, MaxTime: Patience,
	}); err != nil {
		return err
	}
	kube, err := client.New(config, client.Options{Scheme: Scheme()})
	if err != nil {
		return err
	}
	kinds = kube.RESTMapper()
	return wait.PollUntilContextTimeout(context.Background(), 100*time.Millisecond, Patience, true,
		func(ctx context.Context) (bool, error) {
			err := kube.Get(ctx, client.ObjectKey{Name: metav1.NamespaceDefault}, &corev1.Namespace{})
			return err == nil, client.IgnoreNotFound(err)
		})
}

// folders are the repository and cert-manager's module.
func folders() (root, certManager string, err error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aliyun-issuer/aliyun-issuer",
		"github.com/cert-manager/cert-manager").Output()
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
var Scheme = sync.OnceValue(func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, authenticationv1.AddToScheme,
		rbacv1.AddToScheme, coordinationv1.AddToScheme, admissionregistrationv1.AddToScheme, eventsv1.AddToScheme,
		cmapi.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
})

// Kubeconfig is a file for processes that talk to the API server as its administrator.
func Kubeconfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
