// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/program"
)

// processes are those of a cluster, in the order of their start.
var processes = []string{etcd, apiServer, controllerManager, cmWebhook, cmInjector, cmController}

// Options of Up.
type Options struct {
	// Audit makes the API server write audit.log in the cluster's folder.
	Audit bool
	// Chart finds cert-manager's chart. Without it there is no cert-manager.
	Chart func(context.Context) (string, error)
}

// Up starts what does not run yet and returns when all of it answers. On failure it leaves what it started, to
// be looked at; Down ends it.
func (c *Cluster) Up(ctx context.Context, options Options) error {
	needed := []string{etcd, apiServer, controllerManager, "kubectl"}
	if options.Chart != nil {
		needed = append(needed, "helm", cmWebhook, cmInjector, cmController)
	}
	if err := program.Missing(c.bin, needed...); err != nil {
		return err
	}
	release, err := c.lock()
	if err != nil {
		return err
	}
	defer release()

	if err := c.prepare(options); err != nil {
		return err
	}
	if err := c.startControlPlane(ctx); err != nil {
		return err
	}
	if options.Chart != nil {
		if err := c.certManager(ctx, options.Chart); err != nil {
			return err
		}
	}
	// Waited for last: until here nothing needed it, and it takes a while.
	if err := c.waitHealthy(ctx, "/healthz", controllerManager, apiServer); err != nil {
		return err
	}
	c.say("up: export KUBECONFIG=%s", c.Kubeconfig())
	return nil
}

// prepare writes what the control plane reads: keys, ports, kubeconfigs, the audit policy.
func (c *Cluster) prepare(options Options) error {
	if err := os.Chmod(c.dir, 0o700); err != nil { // keys and tokens are in it
		return err
	}
	if err := c.setAudit(options.Audit); err != nil {
		return err
	}
	if err := c.choosePorts(); err != nil {
		return err
	}
	if err := c.pki().ensure(time.Now()); err != nil {
		return fmt.Errorf("make keys and certificates: %w", err)
	}
	if err := c.writeCertificateKubeconfig(c.Kubeconfig(), admin); err != nil {
		return err
	}
	if err := c.writeCertificateKubeconfig(c.path(controllerManager+".kubeconfig"), controllerManager); err != nil {
		return err
	}
	c.say("keys, ports and kubeconfigs are in %s", c.dir)
	return nil
}

func (c *Cluster) startControlPlane(ctx context.Context) error {
	if err := c.start(etcd, c.etcdArguments()...); err != nil {
		return err
	}
	if err := c.start(apiServer, c.apiServerArguments()...); err != nil {
		return err
	}
	if err := c.waitHealthy(ctx, "/readyz", apiServer, etcd); err != nil {
		return err
	}
	return c.start(controllerManager, c.controllerManagerArguments()...)
}
