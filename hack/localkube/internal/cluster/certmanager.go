// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	certManagerNamespace = "cert-manager"
	// certManagerTokens is long, because nothing renews the tokens of processes that are no Pods.
	certManagerTokens = 30 * 24 * time.Hour
)

// certManager installs cert-manager with its own chart, which brings the CRDs, its ServiceAccounts with their
// real permissions, and the webhook configurations, and runs its parts as processes with those accounts.
func (c *Cluster) certManager(ctx context.Context, chart func(context.Context) (string, error)) error {
	if c.allRun(cmWebhook, cmInjector, cmController) {
		c.say("cert-manager runs already")
		return nil
	}
	if err := c.installChart(ctx, chart); err != nil {
		return err
	}
	parts := []struct {
		process, account string
		arguments        []string
	}{
		{cmWebhook, "cert-manager-webhook", []string{"--secure-port", strconv.Itoa(c.ports[cmWebhook])}},
		{cmInjector, "cert-manager-cainjector", nil},
		{cmController, "cert-manager", []string{"--metrics-listen-address", c.address(cmController)}},
	}
	for _, part := range parts {
		if c.anyRuns(part.process) {
			continue
		}
		file := c.path(part.process + ".kubeconfig")
		if err := c.writeTokenKubeconfig(ctx, file, certManagerNamespace, part.account, certManagerTokens); err != nil {
			return err
		}
		if err := c.start(part.process, append(part.arguments, "--v=2", "--kubeconfig", file)...); err != nil {
			return err
		}
	}
	return c.waitAdmission(ctx)
}

func (c *Cluster) installChart(ctx context.Context, find func(context.Context) (string, error)) error {
	chart, err := find(ctx)
	if err != nil {
		return err
	}
	_, err = c.tool(ctx, "", "helm", "upgrade", "--install", "cert-manager", chart,
		"--namespace", certManagerNamespace, "--create-namespace", "--no-hooks",
		"--set", "crds.enabled=true", "--set", "startupapicheck.enabled=false",
		"--set", "replicaCount=0", "--set", "webhook.replicaCount=0", "--set", "cainjector.replicaCount=0",
		"--set", fmt.Sprintf("webhook.url.host=localhost:%d", c.ports[cmWebhook]))
	if err != nil {
		return err
	}
	c.say("cert-manager's chart is installed")
	if _, err := c.tool(ctx, "", "kubectl", "wait", "--for=condition=Established", "crd",
		"--selector=app.kubernetes.io/instance=cert-manager", "--timeout="+patience.String()); err != nil {
		return err
	}
	c.say("cert-manager's CRDs are established")
	return nil
}

// refused is what no API server accepts from whom cert-manager's webhook answers: two issuer types at once. The
// schema of the CRD does not forbid it, so that a refusal proves the whole way through the webhook.
const refused = `{"apiVersion": "cert-manager.io/v1", "kind": "Issuer",
	"metadata": {"name": "localkube-probe", "namespace": "default"},
	"spec": {"selfSigned": {}, "ca": {"secretName": "none"}}}`

func (c *Cluster) waitAdmission(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	parts := []string{cmWebhook, cmInjector, cmController}
	err := c.table.WaitUntil(ctx, parts, func(ctx context.Context) error {
		_, err := c.tool(ctx, refused, "kubectl", "create", "--dry-run=server", "--filename", "-")
		switch {
		case err == nil:
			return errors.New("an Issuer with two types was accepted")
		case strings.Contains(err.Error(), `admission webhook "webhook.cert-manager.io" denied the request`):
			return nil
		default:
			return err
		}
	})
	if err != nil {
		return err
	}
	c.say("cert-manager's webhook answers; its metrics are at http://%s/metrics", c.address(cmController))
	return nil
}

// tool runs kubectl or helm as the cluster's administrator and returns its output.
func (c *Cluster) tool(ctx context.Context, input, name string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, c.program(name), arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig(),
		// Neither tool is to read or leave anything in the caller's home.
		"KUBECACHEDIR="+c.path("cache"), "KUBERC=off",
		"HELM_CACHE_HOME="+c.path("cache"), "HELM_CONFIG_HOME="+c.path("cache"), "HELM_DATA_HOME="+c.path("cache"))
	command.Stdin = strings.NewReader(input)
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, arguments[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
