// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package process runs the manager as a process of its own, and ends it at the worst of moments.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/process/leap"
)

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

// start runs a manager against the API server of the tests, with the clock of the scene.
func (s *scene) start(args ...string) *manager {
	s.T.Helper()
	path, err := binary()
	if err != nil {
		s.T.Fatal(err)
	}
	m := &manager{t: s.T, done: make(chan struct{}), grown: make(chan struct{})}
	m.cmd = exec.Command(path, append([]string{
		"--metrics-bind-address=0", "--health-probe-bind-address=0", "--zap-log-level=debug",
		"--dns-nameservers=" + s.Simulator.DNSAddr(), "--dns-check-authoritative=false",
		"--issuer-endpoint-hosts=127.0.0.1",
	}, args...)...)
	m.cmd.Env = append(os.Environ(), "KUBECONFIG="+env.Kubeconfig(s.T), leap.Variable+"="+s.clock.Path)
	m.cmd.Stdout, m.cmd.Stderr = m, m
	if err := m.cmd.Start(); err != nil {
		s.T.Fatal(err)
	}
	s.managers = append(s.managers, m)
	go func() {
		_ = m.cmd.Wait() // how it ended is in ProcessState
		close(m.done)
	}()
	s.T.Cleanup(func() {
		m.kill()
		if s.T.Failed() {
			s.T.Logf("the log of the manager:\n%s", m.Log())
		}
	})
	return m
}

// candidate runs a manager that works only while it holds the lease of the scene.
func (s *scene) candidate() *manager {
	s.T.Helper()
	return s.start("--leader-elect", "--leader-election-namespace="+s.Namespace)
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
		case <-time.After(env.Patience): // since the last line
			m.t.Fatalf("the manager does not log %q", text)
		}
	}
}

// terminate asks the process to end, as the kubelet does.
func (m *manager) terminate() {
	m.t.Helper()
	m.signal(syscall.SIGTERM)
}

// kill ends the process where it stands, and waits for that.
func (m *manager) kill() {
	_ = m.cmd.Process.Kill()
	<-m.done
}

// stop holds the process where it stands, all of its threads, and wake lets it go on as if no time had passed.
func (m *manager) stop() {
	m.t.Helper()
	m.signal(syscall.SIGSTOP)
	for limit := time.Now().Add(env.Patience); time.Now().Before(limit); {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.cmd.Process.Pid))
		if err != nil {
			m.t.Fatal(err)
		}
		if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "T") {
			return
		}
	}
	m.t.Fatal("the manager does not stop")
}

func (m *manager) wake() {
	m.t.Helper()
	m.signal(syscall.SIGCONT)
}

func (m *manager) signal(s syscall.Signal) {
	m.t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.t.Fatal(err)
	}
}

// ends waits for the process, and returns its exit status.
func (m *manager) ends() int {
	m.t.Helper()
	select {
	case <-m.done:
		return m.cmd.ProcessState.ExitCode()
	case <-time.After(env.Patience):
		m.t.Fatal("the manager does not end")
		return 0
	}
}
