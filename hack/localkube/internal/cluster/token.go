// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/program"
)

// callerTokens is how long a token lasts that Token writes.
const callerTokens = 24 * time.Hour

// Token writes a kubeconfig with which a process is a ServiceAccount, and may do what that one may.
func (c *Cluster) Token(ctx context.Context, namespace, account, file string) error {
	if err := program.Missing(c.bin, "kubectl"); err != nil {
		return err
	}
	if err := c.readPorts(); err != nil {
		return err
	}
	return c.writeTokenKubeconfig(ctx, file, namespace, account, callerTokens)
}

func (c *Cluster) writeTokenKubeconfig(ctx context.Context, file, namespace, account string,
	lifetime time.Duration) error {
	token, err := c.tool(ctx, "", "kubectl", "create", "token", account, "--namespace", namespace, "--duration",
		lifetime.String())
	if err != nil {
		return fmt.Errorf("token of ServiceAccount %s/%s: %w", namespace, account, err)
	}
	return c.writeKubeconfig(file, namespace, account, user{Token: strings.TrimSpace(token)})
}
