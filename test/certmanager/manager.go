// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// binary is the manager as it is released, but for the race detector.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "manager-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "aliyun-issuer")
	build := exec.Command("go", "build", "-race", "-o", path, "github.com/aliyun-issuer/aliyun-issuer")
	build.Stderr = os.Stderr
	return path, build.Run()
})

// manager is a running process of ours.
type manager struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  log
	// isToEnd says that somebody has stopped it.
	isToEnd atomic.Bool
}

// log is what a process has written so far.
type log struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

// linesWith are those lines of the log that have the text.
func (m *manager) linesWith(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(m.log.String()) {
		if strings.Contains(line, text) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// startManager runs the manager with the ServiceAccount of the chart, and with nothing that this does not grant.
func (c *cluster) startManager(nameserver string, flags ...string) (*manager, error) {
	return c.startManagerIn(nil, nameserver, flags...)
}

// startManagerIn is startManager where the manager finds variables around it, and nothing else of who runs the tests.
func (c *cluster) startManagerIn(environment []string, nameserver string, flags ...string) (*manager, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	account := filepath.Join(c.dir, "account")
	if err := c.localkube("token", "--namespace", system, "--serviceaccount", release, "--out", account); err != nil {
		return nil, err
	}
	m := &manager{done: make(chan struct{})}
	m.cmd = exec.Command(path, append([]string{
		"--kubeconfig=" + account, "--cluster-resource-namespace=" + system,
		"--metrics-bind-address=0", "--health-probe-bind-address=0", "--zap-log-level=debug",
		"--dns-nameservers=" + nameserver, "--dns-check-authoritative=false", "--issuer-endpoint-hosts=127.0.0.1",
	}, flags...)...) // of a flag that is given twice, the last one counts
	m.cmd.Env = append([]string{"HOME=" + filepath.Join(c.dir, "home")}, environment...)
	m.cmd.Stdout, m.cmd.Stderr = &m.log, &m.log
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = m.cmd.Wait() // how it ended is in ProcessState
		close(m.done)
		if !m.isToEnd.Load() {
			c.death.Do(func() { close(c.died) })
		}
	}()
	return m, nil
}

// startManager runs a manager until the end of the test, or until it is stopped.
func (w *world) startManager() *manager {
	w.T.Helper()
	return w.startManagerAmong(nil)
}

// startManagerAmong is startManager where the manager finds variables around it.
func (w *world) startManagerAmong(variables []string, flags ...string) *manager {
	w.T.Helper()
	m, err := w.cluster.startManagerIn(variables, w.Simulator.DNSAddr(), flags...)
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() {
		m.stop()
		if w.T.Failed() {
			w.T.Logf("the log of the manager:\n%s", m.log.String())
		}
	})
	return m
}

// stop ends the process as the kubelet does.
func (m *manager) stop() {
	m.isToEnd.Store(true)
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-m.done:
	case <-time.After(env.Patience):
		_ = m.cmd.Process.Kill()
		<-m.done
	}
}
