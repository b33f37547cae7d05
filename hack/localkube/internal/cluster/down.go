// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// Down ends every process that was started in the folder and, when asked to, removes the folder.
func (c *Cluster) Down(removeData bool) error {
	if _, err := os.Stat(c.dir); errors.Is(err, os.ErrNotExist) {
		c.say("%s does not exist: nothing to end", c.dir)
		return nil
	}
	release, err := c.lock()
	if err != nil {
		return err
	}
	defer release()
	started, err := c.table.Names()
	if err != nil {
		return err
	}
	var failures []error
	for _, name := range downOrder(started) {
		failures = append(failures, c.stop(name))
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	if !removeData {
		return nil
	}
	if !c.isOurs() {
		return fmt.Errorf("%s is not removed: it does not look like the folder of a cluster", c.dir)
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return err
	}
	c.say("%s is removed", c.dir)
	return nil
}

// downOrder is the order in which processes end: first those that the caller added, the last first, because
// they may use one another; then the cluster's own against the order of their start, etcd at the very end. (An
// API server whose etcd has gone hangs when it is told to stop.)
func downOrder(started []string) []string {
	order := slices.DeleteFunc(slices.Clone(started),
		func(name string) bool { return slices.Contains(processes, name) })
	slices.Reverse(order)
	for _, name := range slices.Backward(processes) {
		if slices.Contains(started, name) {
			order = append(order, name)
		}
	}
	return order
}

// isOurs tells whether a command of ours has filled the folder.
func (c *Cluster) isOurs() bool {
	for _, entry := range []string{"ports.json", "pid"} {
		if _, err := os.Stat(c.path(entry)); err == nil {
			return true
		}
	}
	return false
}

// ErrNotRunning says that something that was started, or everything, is not running.
var ErrNotRunning = errors.New("not everything runs")

// Status prints a line for each process that was started in the folder.
func (c *Cluster) Status() error {
	names, err := c.table.Names()
	if err != nil {
		return err
	}
	all := len(names) > 0
	for _, name := range names {
		record, running := c.table.Running(name)
		state := "running"
		if !running {
			state, all = "ended", false
		}
		fmt.Fprintf(c.out, "%-24s %-8s pid %-8d %s\n", name, state, record.PID, c.table.LogPath(name))
	}
	if !all {
		return ErrNotRunning
	}
	fmt.Fprintf(c.out, "KUBECONFIG=%s\n", c.Kubeconfig())
	return nil
}
