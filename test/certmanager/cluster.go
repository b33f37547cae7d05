// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package certmanager proves what needs more than our own controller: cert-manager's, which makes, prunes and replaces
// requests, and Kubernetes' own, which collects what has lost its owner, and empties namespaces. All of them are real.
package certmanager

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/machine"
)

const (
	root = "../.."
	// What `make test` builds, from the root of the repository.
	localkube = "bin/localkube"
	programs  = "bin/k8s"
	chart     = "charts/aliyun-issuer"

	release = "aliyun-issuer"
	// system is the namespace of the release.
	system = "aliyun-issuer-system"
)

// cluster is a control plane with cert-manager's CRDs and controller, and with our chart. Nothing of ours runs yet.
type cluster struct {
	// root of the repository, and the folder of the cluster; both absolute.
	root, dir string
	kube      client.WithWatch
	api       rest.Interface
	// died is closed when a manager has ended that nobody has stopped.
	died  chan struct{}
	death sync.Once
}

// places has one for each cluster that belongs to a test. They are more than the machine has control planes for,
// because what these tests do is wait. The two that tests share are beside them.
var places = make(chan struct{}, 2*machine.ControlPlanes())

// newCluster starts a cluster that ends with the test, once there is a place for it. The flags are those of localkube
// up.
func newCluster(t *testing.T, flags ...string) *cluster {
	t.Helper()
	places <- struct{}{}
	t.Cleanup(func() { <-places }) // the last of the cleanups of the cluster
	c, err := startCluster(filepath.Join(t.TempDir(), "cluster"), flags...)
	if c != nil {
		t.Cleanup(func() {
			if err := c.down(); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// startCluster returns what has to be ended even if it fails.
func startCluster(dir string, flags ...string) (*cluster, error) {
	top, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	c := &cluster{root: top, dir: dir, died: make(chan struct{})}
	if err := c.localkube(append([]string{"up"}, flags...)...); err != nil {
		return c, err
	}
	if c.kube, err = c.as(""); err != nil {
		return c, err
	}
	config, err := c.config("")
	if err != nil {
		return c, err
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return c, err
	}
	c.api = clients.Discovery().RESTClient()
	module, err := ofModule("Dir", "github.com/cert-manager/cert-manager")
	if err != nil {
		return c, err
	}
	crds := filepath.Join(module, "deploy/crds")
	if err := c.run(c.program("kubectl"), "apply", "--server-side", "-f", crds, "-f",
		filepath.Join(top, "test/env/crds")); err != nil {
		return c, err
	}
	if err := c.installChart(); err != nil {
		return c, err
	}
	return c, c.startCertManager()
}

// ofModule is a property, such as Dir or Version, of a module that go.mod requires.
func ofModule(property, path string) (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{."+property+"}}", path).Output()
	return strings.TrimSpace(string(out)), err
}

// as is the client of a user, or of the administrator.
func (c *cluster) as(user string) (client.WithWatch, error) {
	config, err := c.config(user)
	if err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: env.Scheme()})
}

func (c *cluster) config(user string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // the API server is the test's own
	config.Impersonate.UserName = user
	return config, nil
}

// installChart returns once the API server serves our kinds: helm does not wait for a CRD that is a template.
func (c *cluster) installChart() error {
	if err := c.run(c.program("helm"), "upgrade", "--install", release, filepath.Join(c.root, chart),
		"--namespace", system, "--create-namespace", "--set",
		"replicaCount=0,solvers.dnsEndpoint=true,solvers.ingress=true"); err != nil {
		return err
	}
	kinds := []client.ObjectList{&v1alpha1.AliyunOrderList{}, &v1alpha1.AliyunIssuerList{},
		&v1alpha1.AliyunClusterIssuerList{}}
	return wait.PollUntilContextTimeout(context.Background(), 100*time.Millisecond, env.Patience, true,
		func(ctx context.Context) (bool, error) {
			for _, kind := range kinds {
				if err := c.kube.List(ctx, kind); meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
					return false, nil
				} else if err != nil {
					return false, err
				}
			}
			return true, nil
		})
}

// startCertManager lets cert-manager's controller make requests of Certificates, and approve them.
func (c *cluster) startCertManager() error { return c.runCertManager() }

func (c *cluster) runCertManager(flags ...string) error {
	return c.localkube(append([]string{"run", "certificates", "--", c.program("cm-controller"),
		"--kubeconfig", c.kubeconfig(), "--metrics-listen-address", "127.0.0.1:0"}, flags...)...)
}

func (c *cluster) kubeconfig() string         { return filepath.Join(c.dir, "kubeconfig") }
func (c *cluster) program(name string) string { return filepath.Join(c.root, programs, name) }
func (c *cluster) down() error                { return c.localkube("down", "--data") }
func (c *cluster) localkube(a ...string) error {
	return c.run(filepath.Join(c.root, localkube), c.flags(a)...)
}

// flags puts those of all commands of localkube behind the first word.
func (c *cluster) flags(arguments []string) []string {
	return append([]string{arguments[0], "--bin", filepath.Join(c.root, programs), "--dir", c.dir}, arguments[1:]...)
}

// run runs a program as the administrator of the cluster.
func (c *cluster) run(name string, arguments ...string) error {
	out, err := c.command(name, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v ('make test' builds what it needs): %w\n%s", name, arguments, err, out)
	}
	return nil
}

func (c *cluster) command(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(name, arguments...)
	cmd.Env = docs.Environment(c.root, c.kubeconfig(), filepath.Join(c.dir, "cache"))
	return cmd
}
