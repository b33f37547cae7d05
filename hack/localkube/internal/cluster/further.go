// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/process"
)

// Run starts a further process beside the cluster's own, with the caller's environment and working directory.
// When ready is a URL, it returns once that answers 200; the time for it is that of ctx.
func (c *Cluster) Run(ctx context.Context, name, ready, program string, arguments ...string) error {
	if err := process.CheckName(name); err != nil {
		return err
	}
	if slices.Contains(processes, name) {
		return fmt.Errorf("%s is a name of the cluster's own", name)
	}
	release, err := c.lock()
	if err != nil {
		return err
	}
	record, err := c.table.Start(name, program, arguments...)
	release() // readiness concerns nobody else
	if err != nil {
		return err
	}
	c.say("%s started, as process %d; it writes to %s", name, record.PID, c.table.LogPath(name))
	if ready == "" {
		return nil
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	err = c.table.WaitUntil(ctx, []string{name}, func(ctx context.Context) error { return get(ctx, client, ready) })
	if err == nil {
		c.say("%s is ready at %s", name, ready)
	}
	return err
}

// stopGrace is how long a process may take to end: the API server waits for its watchers.
const stopGrace = 20 * time.Second

// Stop ends one process.
func (c *Cluster) Stop(name string) error {
	if err := process.CheckName(name); err != nil {
		return err
	}
	if _, err := os.Stat(c.dir); err != nil {
		return err
	}
	release, err := c.lock()
	if err != nil {
		return err
	}
	defer release()
	return c.stop(name)
}

func (c *Cluster) stop(name string) error {
	outcome, err := c.table.Stop(name, stopGrace)
	if err != nil {
		return err
	}
	c.say("%s: %s", name, outcome)
	return nil
}
