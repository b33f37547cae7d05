// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const forEver = "100000"

// newCluster is a cluster in a folder of the test's own, whose processes end with the test.
func newCluster(t *testing.T) (*Cluster, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	c, err := Open(t.TempDir(), t.TempDir(), &out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Down(false); err != nil {
			t.Error(err)
		}
	})
	return c, &out
}

// startStandIn runs a process that does nothing under the name of one that does.
func startStandIn(t *testing.T, c *Cluster, name string) {
	t.Helper()
	if _, err := c.table.Start(name, "sleep", forEver); err != nil {
		t.Fatal(err)
	}
}

var clock = regexp.MustCompile(`(?m)^\[ *[0-9.]+s\] `)

func said(out *bytes.Buffer) []string {
	return strings.Split(strings.TrimSpace(clock.ReplaceAllString(out.String(), "")), "\n")
}

func TestProcessesEndAgainstTheOrderOfTheirStart(t *testing.T) {
	for name, test := range map[string]struct{ started, want []string }{
		"all, with two of the caller's": {
			started: []string{etcd, apiServer, controllerManager, cmWebhook, cmInjector, cmController, "simulator",
				"manager"},
			want: []string{"manager", "simulator", cmController, cmInjector, cmWebhook, controllerManager, apiServer,
				etcd},
		},
		"etcd came back late": {
			started: []string{apiServer, controllerManager, "manager", etcd},
			want:    []string{"manager", controllerManager, apiServer, etcd},
		},
		"only the caller's": {started: []string{"a", "b", "c"}, want: []string{"c", "b", "a"}},
		"nothing":           {},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, downOrder(test.started)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDownEndsEverythingAndRemovesTheFolder(t *testing.T) {
	c, out := newCluster(t)
	for _, name := range []string{etcd, apiServer, "manager"} {
		startStandIn(t, c, name)
	}
	if err := c.Down(true); err != nil {
		t.Fatal(err)
	}
	want := []string{"manager: stopped", "kube-apiserver: stopped", "etcd: stopped", c.dir + " is removed"}
	if diff := cmp.Diff(want, said(out)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
	if err := c.Down(true); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestDownKeepsTheDataUnlessAsked(t *testing.T) {
	c, _ := newCluster(t)
	startStandIn(t, c, etcd)
	if err := c.Down(false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.table.LogPath(etcd)); err != nil {
		t.Errorf("the log is gone: %v", err)
	}
}

func TestDownDoesNotRemoveAFolderThatIsNotACluster(t *testing.T) {
	c, _ := newCluster(t)
	precious := filepath.Join(c.dir, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.Down(true); err == nil {
		t.Error("it was removed without complaint")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestStatusFailsUnlessEverythingRuns(t *testing.T) {
	c, out := newCluster(t)
	if err := c.Status(); err != ErrNotRunning {
		t.Errorf("nothing was started: %v", err)
	}
	startStandIn(t, c, etcd)
	if err := c.Status(); err != nil {
		t.Errorf("all runs: %v", err)
	}
	startStandIn(t, c, "short")
	record, _ := c.table.Running("short")
	if err := syscall.Kill(record.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for c.anyRuns("short") {
		time.Sleep(time.Millisecond) // until the kernel has ended it
	}
	out.Reset()
	if err := c.Status(); err != ErrNotRunning {
		t.Errorf("one has ended: %v", err)
	}
	if !regexp.MustCompile(`(?m)^etcd +running .*\nshort +ended `).MatchString(out.String()) {
		t.Errorf("the table is\n%s", out)
	}
}

func TestAFurtherProcessIsWaitedForUntilItAnswers(t *testing.T) {
	c, out := newCluster(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()

	url := "http://" + listener.Addr().String() + "/readyz"
	if err := c.Run(t.Context(), "simulator", url, "sleep", forEver); err != nil {
		t.Fatal(err)
	}
	if asked != 3 {
		t.Errorf("it was asked %d times; want 3", asked)
	}
	if last := said(out); last[len(last)-1] != "simulator is ready at "+url {
		t.Errorf("it says %q", last)
	}
}

func TestAFurtherProcessThatEndsIsReportedWithItsLog(t *testing.T) {
	c, _ := newCluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := c.Run(ctx, "doomed", "http://127.0.0.1:1/", "sh", "-c", "echo no such flag; exit 2")
	if err == nil || !strings.Contains(err.Error(), "no such flag") || ctx.Err() != nil {
		t.Errorf("Run() = %v; want the log, at once", err)
	}
}

func TestAFurtherProcessCannotTakeANameOfTheClusters(t *testing.T) {
	c, _ := newCluster(t)
	for _, name := range append([]string{"../x"}, processes...) {
		if err := c.Run(t.Context(), name, "", "sleep", forEver); err == nil {
			t.Errorf("%s was started", name)
		}
	}
}

func TestUpNamesTheProgramsThatAreMissing(t *testing.T) {
	c, _ := newCluster(t)
	err := c.Up(t.Context(), Options{})
	if err == nil || !strings.Contains(err.Error(), "lacks etcd, kube-apiserver, kube-controller-manager, kubectl") {
		t.Errorf("Up() = %v", err)
	}
}

func TestAnAuditLogIsDecidedBeforeTheServerStarts(t *testing.T) {
	c, _ := newCluster(t)
	c.ports = map[string]int{}
	audited := func() bool {
		return strings.Contains(strings.Join(c.apiServerArguments(), " "), "--audit-log-path "+c.path("audit.log"))
	}
	for _, wanted := range []bool{true, false, true, false} {
		if err := c.setAudit(wanted); err != nil || audited() != wanted {
			t.Fatalf("wanted %v: %v, %v", wanted, audited(), err)
		}
	}
	startStandIn(t, c, apiServer)
	if err := c.setAudit(true); err == nil {
		t.Error("a server that runs without was asked for a log, and nobody complains")
	}
	if err := c.setAudit(false); err != nil {
		t.Error(err)
	}
}
