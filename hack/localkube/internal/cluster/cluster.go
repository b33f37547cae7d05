// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster runs a Kubernetes control plane, and cert-manager beside it, as plain processes on 127.0.0.1.
// There is no node: nothing that is a Pod runs.
package cluster

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/flock"
	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/process"
)

const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	cmController      = "cm-controller"
	cmWebhook         = "cm-webhook"
	cmInjector        = "cm-cainjector"
)

// Cluster is one local Kubernetes: a folder that holds all of its state, and the programs that it runs.
type Cluster struct {
	dir, bin string
	table    process.Table
	ports    map[string]int
	out      io.Writer
	begin    time.Time
}

// Open describes the cluster of a folder, which need not exist yet. Progress is told to out.
func Open(dir, bin string, out io.Writer) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	bin, err = filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	return &Cluster{dir: dir, bin: bin, table: process.Table{Dir: dir}, out: out, begin: time.Now()}, nil
}

// Kubeconfig is the file with the credentials of the cluster's administrator.
func (c *Cluster) Kubeconfig() string {
	return c.path("kubeconfig")
}

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.dir}, elements...)...)
}

func (c *Cluster) program(name string) string {
	return filepath.Join(c.bin, name)
}

// address is where a process of the cluster listens.
func (c *Cluster) address(name string) string {
	return fmt.Sprintf("127.0.0.1:%d", c.ports[name])
}

// say prints one line with the time since the command began.
func (c *Cluster) say(format string, arguments ...any) {
	fmt.Fprintf(c.out, "[%6.2fs] %s\n", time.Since(c.begin).Seconds(), fmt.Sprintf(format, arguments...))
}

// lock keeps other commands from changing this cluster until release is called.
func (c *Cluster) lock() (release func(), err error) {
	return flock.Hold(c.dir, func() { c.say("another command works on %s; waiting for it", c.dir) })
}

// start begins a process, unless it runs.
func (c *Cluster) start(name string, arguments ...string) error {
	if record, running := c.table.Running(name); running {
		c.say("%s runs already, as process %d", name, record.PID)
		return nil
	}
	record, err := c.table.Start(name, c.program(name), arguments...)
	if err != nil {
		return err
	}
	c.say("%s started, as process %d", name, record.PID)
	return nil
}

func (c *Cluster) anyRuns(names ...string) bool {
	for _, name := range names {
		if _, running := c.table.Running(name); running {
			return true
		}
	}
	return false
}

func (c *Cluster) allRun(names ...string) bool {
	for _, name := range names {
		if _, running := c.table.Running(name); !running {
			return false
		}
	}
	return true
}

// writeSecretly replaces a file at once, readable by its owner only.
func writeSecretly(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".writing-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if _, err := temporary.Write(content); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
