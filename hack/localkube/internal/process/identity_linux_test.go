// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// uptime is in hundredths of a second, which are the clock ticks that Linux shows to programs.
func uptime(t *testing.T) int {
	t.Helper()
	content, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	var seconds, hundredths int
	if _, err := fmt.Sscanf(string(content), "%d.%d", &seconds, &hundredths); err != nil {
		t.Fatal(err)
	}
	return seconds*100 + hundredths
}

func TestAnIdentityHoldsTheTimeOfTheStart(t *testing.T) {
	for _, name := range []string{"sleep", "a name) with (brackets"} {
		program := t.TempDir() + "/" + name
		path, err := exec.LookPath("sleep")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, program); err != nil {
			t.Fatal(err)
		}
		before := uptime(t)
		command := exec.Command(program, forEver)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		after := uptime(t)
		identity, err := identify(command.Process.Pid)
		_ = command.Process.Kill()
		_ = command.Wait()
		if err != nil {
			t.Fatal(err)
		}
		_, tick, _ := strings.Cut(identity, "/")
		var started int
		if _, err := fmt.Sscan(tick, &started); err != nil {
			t.Fatalf("identity %q: %v", identity, err)
		}
		if started < before-1 || started > after+1 {
			t.Errorf("%s started at tick %d; want one from %d to %d", name, started, before, after)
		}
	}
}
