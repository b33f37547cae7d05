// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

const (
	localkube     = "bin/localkube"
	kubectl       = "bin/k8s/kubectl"
	helm          = "bin/k8s/helm"
	dir           = ".localkube"
	kubeconfig    = dir + "/kubeconfig"
	managerConfig = dir + "/manager.kubeconfig"

	release   = "aliyun-issuer"
	namespace = "aliyun-issuer-system"
	product   = "digicert-free-1-free"
)

// demo is what the steps know of each other.
type demo struct {
	source           source
	began            time.Time
	simulator, dns   string // addresses
	keyID, keySecret string
	manager          string                 // address of the probes
	names            []string               // of the Certificate
	instances        []string               // that were bought
	chain            []byte                 // in the Secret
	orders           []v1alpha1.AliyunOrder // that have come to a certificate
}

func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

func (d *demo) build(ctx context.Context) error {
	for _, args := range [][]string{
		{"go", "build", "-C", "hack/localkube", "-o", "../../" + localkube, "./cmd/localkube"},
		{localkube, "build", "all"},
		{"go", "build", "-o", "bin/aliyun-issuer", "."},
		{"go", "build", "-o", "bin/cassim", "./hack/cassim"},
	} {
		if err := run(ctx, args[0], args[1:]...); err != nil {
			return fmt.Errorf("%v: %w", args, err)
		}
	}
	return nil
}

// boot begins anew, so that a demo shows the same each time.
func (d *demo) boot(ctx context.Context) error {
	if err := run(ctx, localkube, "down", "--data", "--dir", dir); err != nil {
		return err
	}
	return run(ctx, localkube, "up", "--cert-manager", "--dir", dir)
}

func (d *demo) startSimulator(ctx context.Context) error {
	var err error
	if d.simulator, err = freeAddress(); err != nil {
		return err
	}
	if d.dns, err = freeAddress(); err != nil {
		return err
	}
	d.keyID, d.keySecret = "demo-"+rand.Text(), rand.Text()
	return run(ctx, localkube, "run", "cassim", "--dir", dir, "--ready", "http://"+d.simulator+"/-/healthz", "--",
		"bin/cassim",
		"--addr", d.simulator, "--dns-addr", d.dns, "--access-key-id", d.keyID, "--access-key-secret", d.keySecret,
		"--package", product+"=20", "--zone", "example.com", "--dcv-delay", "3s", "--ca-delay", "5s")
}

// install proves the chart's RBAC: the manager has the token of the chart's ServiceAccount and nothing else.
func (d *demo) install(ctx context.Context) error {
	helmCommand := exec.CommandContext(ctx, helm, "upgrade", "--install", release, "charts/aliyun-issuer",
		"--namespace", namespace, "--create-namespace", "--set", "replicaCount=0")
	helmCommand.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	if out, err := helmCommand.CombinedOutput(); err != nil {
		return fmt.Errorf("helm: %w\n%s", err, out)
	}
	if err := run(ctx, localkube, "token", "--dir", dir, "--namespace", namespace, "--serviceaccount", release,
		"--out", managerConfig); err != nil {
		return err
	}
	var err error
	if d.manager, err = freeAddress(); err != nil {
		return err
	}
	manager, err := filepath.Abs("bin/aliyun-issuer")
	if err != nil {
		return err
	}
	return run(ctx, localkube, "run", "manager", "--dir", dir, "--ready", "http://"+d.manager+"/readyz", "--",
		manager,
		"--kubeconfig", managerConfig, "--leader-elect", "--leader-election-namespace", namespace,
		"--cluster-resource-namespace", namespace,
		"--health-probe-bind-address", d.manager, "--metrics-bind-address", "0",
		"--dns-nameservers", d.dns, "--dns-check-authoritative=false", "--issuer-endpoint-hosts", "127.0.0.1")
}

// freeAddress is one that nobody listens on now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}
