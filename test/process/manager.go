// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package process runs the manager as a process of its own, and ends it at the worst of moments.
package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// patience is how long a process may take for anything that it is waited for.
const patience = 2 * time.Minute

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

// manager is a running process.
type manager struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}

	mutex sync.Mutex
	log   strings.Builder
	// grown is closed, and made again, whenever a line is logged.
	grown chan struct{}
}

// start runs a manager against the API server of the tests.
func start(t *testing.T, w *env.World, args ...string) *manager {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{t: t, done: make(chan struct{}), grown: make(chan struct{})}
	m.cmd = exec.Command(path, append([]string{
		"--metrics-bind-address=0", "--health-probe-bind-address=0", "--zap-log-level=debug",
		"--dns-nameservers=" + w.Simulator.DNSAddr(), "--dns-check-authoritative=false",
	}, args...)...)
	m.cmd.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig(t))
	m.cmd.Stdout, m.cmd.Stderr = m, m
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = m.cmd.Wait() // how it ended is in ProcessState
		close(m.done)
	}()
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill()
		<-m.done
		if t.Failed() {
			t.Logf("the log of the manager:\n%s", m.Log())
		}
	})
	return m
}

// Write takes what the process logs.
func (m *manager) Write(p []byte) (int, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	close(m.grown)
	m.grown = make(chan struct{})
	return m.log.Write(p)
}

// Log is all that the process has logged.
func (m *manager) Log() string {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.log.String()
}

// logs waits until the process has logged the text.
func (m *manager) logs(text string) {
	m.t.Helper()
	limit := time.After(patience)
	for {
		m.mutex.Lock()
		found, grown := strings.Contains(m.log.String(), text), m.grown
		m.mutex.Unlock()
		if found {
			return
		}
		select {
		case <-grown:
		case <-m.done:
			m.t.Fatalf("the manager has ended without logging %q", text)
		case <-limit:
			m.t.Fatalf("the manager does not log %q", text)
		}
	}
}

// terminate asks the process to end, as the kubelet does.
func (m *manager) terminate() {
	m.t.Helper()
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.t.Fatal(err)
	}
}

// ends waits for the process, and returns its exit status.
func (m *manager) ends() int {
	m.t.Helper()
	select {
	case <-m.done:
		return m.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		m.t.Fatal("the manager does not end")
		return 0
	}
}
