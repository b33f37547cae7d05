// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const forEver = "100000"

func newTable(t *testing.T) Table {
	t.Helper()
	table := Table{Dir: t.TempDir()}
	t.Cleanup(func() {
		names, err := table.Names()
		if err != nil {
			t.Error(err)
		}
		for _, name := range names {
			if _, err := table.Stop(name, 0); err != nil {
				t.Error(err)
			}
		}
	})
	return table
}

func start(t *testing.T, table Table, name, program string, arguments ...string) Record {
	t.Helper()
	record, err := table.Start(name, program, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// waitFor waits until a condition holds that the kernel, not this test, brings about.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain: " + what)
		}
	}
}

func logged(t *testing.T, table Table, name string) string {
	t.Helper()
	content, err := os.ReadFile(table.LogPath(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func gone(pid int) bool {
	_, err := identify(pid)
	return errors.Is(err, errGone)
}

func TestAProcessRunsUntilItIsStopped(t *testing.T) {
	table := newTable(t)
	record := start(t, table, "sleeper", "sleep", forEver)
	if found, running := table.Running("sleeper"); !running || found.PID != record.PID {
		t.Fatalf("Running() = %v, %v; want process %d to run", found, running, record.PID)
	}
	if session, err := syscall.Getpgid(record.PID); err != nil || session != record.PID {
		t.Errorf("process group %d, %v; want one of its own", session, err)
	}

	outcome, err := table.Stop("sleeper", time.Minute)
	if err != nil || outcome != Stopped {
		t.Errorf("Stop() = %q, %v; want %q", outcome, err, Stopped)
	}
	if !gone(record.PID) {
		t.Error("the process lives on")
	}
	if names, err := table.Names(); err != nil || len(names) > 0 {
		t.Errorf("Names() = %v, %v; want none left", names, err)
	}
}

func TestAProcessThatIgnoresTheRequestIsKilled(t *testing.T) {
	table := newTable(t)
	record := start(t, table, "stubborn", "sh", "-c", `trap "" TERM; echo deaf; while :; do sleep 1; done`)
	waitFor(t, "the trap is set", func() bool { return strings.Contains(logged(t, table, "stubborn"), "deaf") })

	outcome, err := table.Stop("stubborn", 100*time.Millisecond)
	if err != nil || outcome != Killed {
		t.Errorf("Stop() = %q, %v; want %q", outcome, err, Killed)
	}
	if !gone(record.PID) {
		t.Error("the process lives on")
	}
}

func TestTheChildrenOfAProcessEndWithIt(t *testing.T) {
	table := newTable(t)
	start(t, table, "parent", "sh", "-c", "sleep "+forEver+" & echo $!; wait")
	waitFor(t, "the child is known", func() bool { return strings.HasSuffix(logged(t, table, "parent"), "\n") })
	child, err := strconv.Atoi(strings.TrimSpace(logged(t, table, "parent")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Stop("parent", time.Minute); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the child is gone", func() bool { return gone(child) })
}

func TestAProcessThatHasOurPidButIsNotOursIsLeftAlone(t *testing.T) {
	table := newTable(t)
	// The record is of a process that has ended; its pid is made to be that of a stranger.
	record := start(t, table, "ours", "sleep", forEver)
	if _, err := table.Stop("ours", time.Minute); err != nil {
		t.Fatal(err)
	}
	// A process is told by its pid and the clock tick of its start. No kernel gives a pid away twice within a tick,
	// which is a hundredth of a second in proc_pid_stat(5); the stranger, whose pid is only pretended, begins later.
	time.Sleep(20 * time.Millisecond)
	stranger := exec.Command("sleep", forEver)
	stranger.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = stranger.Process.Kill()
		_ = stranger.Wait()
	}()
	record.PID = stranger.Process.Pid
	if err := table.write("ours", record); err != nil {
		t.Fatal(err)
	}

	if _, running := table.Running("ours"); running {
		t.Error("a stranger passes for our process")
	}
	outcome, err := table.Stop("ours", time.Minute)
	if err != nil || outcome != Gone {
		t.Errorf("Stop() = %q, %v; want %q", outcome, err, Gone)
	}
	// A signal would have been delivered before kill(2) returned to Stop, and the stranger would be a zombie.
	if gone(stranger.Process.Pid) {
		t.Error("the stranger was ended")
	}
}

func TestAZombieIsNotRunning(t *testing.T) {
	command := exec.Command("true")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Wait() }() // only now is it collected
	waitFor(t, "it has ended", func() bool { return gone(command.Process.Pid) })
	if err := command.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("it was collected (%v): this test tests nothing", err)
	}
}

func TestANameThatRunsIsNotStartedAgain(t *testing.T) {
	table := newTable(t)
	record := start(t, table, "sleeper", "sleep", forEver)
	if _, err := table.Start("sleeper", "sleep", forEver); err == nil ||
		!strings.Contains(err.Error(), strconv.Itoa(record.PID)) {
		t.Errorf("Start() = %v; want an error that names process %d", err, record.PID)
	}
	if found, running := table.Running("sleeper"); !running || found.PID != record.PID {
		t.Errorf("Running() = %v, %v; want the first process", found, running)
	}
}

func TestARestartKeepsTheLogOfTheLifeBefore(t *testing.T) {
	table := newTable(t)
	for _, word := range []string{"first", "second"} {
		start(t, table, "talker", "sh", "-c", "echo "+word+"; exec sleep "+forEver)
		waitFor(t, "it talks", func() bool { return strings.Contains(logged(t, table, "talker"), word) })
		if _, err := table.Stop("talker", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("first\nsecond\n", logged(t, table, "talker")); diff != "" {
		t.Error(diff)
	}
}

func TestWaitingForAProcessThatEndsShowsTheEndOfItsLog(t *testing.T) {
	table := newTable(t)
	start(t, table, "doomed", "sh", "-c", `i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo "line $i"; done; exec sleep `+
		forEver)
	waitFor(t, "it has written", func() bool { return strings.Contains(logged(t, table, "doomed"), "line 50") })
	probes := 0
	err := table.WaitUntil(t.Context(), []string{"doomed"}, func(context.Context) error {
		probes++
		record, _ := table.Running("doomed")
		_ = syscall.Kill(record.PID, syscall.SIGKILL)
		waitFor(t, "it is dead", func() bool { return gone(record.PID) })
		return errors.New("not yet")
	})
	if err == nil || probes != 1 {
		t.Fatalf("WaitUntil() = %v after %d probes; want an error after one", err, probes)
	}
	for _, want := range []string{"doomed has ended", table.LogPath("doomed"), "line 31\n", "line 50"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "line 30\n") {
		t.Errorf("the error has more than the last 20 lines:\n%v", err)
	}
}

func TestWaitingEndsWithTheTimeAndTellsTheLastFailure(t *testing.T) {
	table := newTable(t)
	start(t, table, "slow", "sleep", forEver)
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("too late")
	err := table.WaitUntil(ctx, []string{"slow"}, func(context.Context) error {
		cancel(late)
		return errors.New("not yet")
	})
	if !errors.Is(err, late) || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("WaitUntil() = %v; want the cause and the last failure", err)
	}
}

func TestNamesComeInTheOrderOfTheirStart(t *testing.T) {
	table := newTable(t)
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, name := range []string{"b", "c", "a"} {
		start(t, table, name, "sleep", forEver)
		if err := os.Chtimes(table.pidPath(name), day, day.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	names, err := table.Names()
	if diff := cmp.Diff([]string{"b", "c", "a"}, names); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestOnlyAPlainFileNameIsAName(t *testing.T) {
	for name, good := range map[string]bool{
		"manager": true, "cas-2": true, "": false, "../etcd": false, "a/b": false, ".hidden": false, "-x": false,
		"Manager": false,
	} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
}

func TestARecordThatIsNoneIsReportedAndNeverSignalled(t *testing.T) {
	for _, content := range []string{"", "-1\nboot/1\n", "1\nboot/1\n", "0\nboot/1\n", "x\nboot/1\n", "123\n"} {
		table := Table{Dir: t.TempDir()}
		if err := os.MkdirAll(table.Dir+"/pid", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(table.pidPath("broken"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := table.Names(); err == nil {
			t.Errorf("Names() takes the record %q", content)
		}
		if outcome, err := table.Stop("broken", 0); outcome != Gone || err != nil {
			t.Errorf("Stop() of the record %q = %q, %v", content, outcome, err)
		}
	}
}
