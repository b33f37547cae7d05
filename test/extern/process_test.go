// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

//go:build extern

package extern

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

func TestMain(m *testing.M) { env.Main(m) }

// program is the path of what `make e2e-extern` has built.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../bin", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a program until the test ends.
func start(t *testing.T, path string, arguments ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, arguments...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var hasEnded sync.WaitGroup
	hasEnded.Go(func() { _ = cmd.Wait() })
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		hasEnded.Wait()
		kill.Stop()
		_ = log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s %q:\n%s", path, arguments, text)
		}
	})
}

// freePort is free for UDP and TCP, unless somebody else takes it.
func freePort(t *testing.T) int {
	t.Helper()
	packets, listener := primary.Listen(t)
	_, _ = packets.Close(), listener.Close() // nobody has connected
	return listener.Addr().(*net.TCPAddr).Port
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// wait lets others do what they do in their own time.
func wait(t *testing.T, what string, isDone func() bool) {
	t.Helper()
	for deadline := time.Now().Add(env.Patience); !isDone(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s it is not so that %s", env.Patience, what)
		}
	}
}
