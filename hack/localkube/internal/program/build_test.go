// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// builds runs a build of the programs and returns what it printed.
func builds(t *testing.T, source, bin string, programs ...Program) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := Builder{Source: source, Bin: bin, Out: &out, Heartbeat: time.Hour}.Build(t.Context(), programs)
	return out.String(), err
}

func runs(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.Command(program).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAProgramIsBuiltAgainOnlyWhenItsSourceHasChanged(t *testing.T) {
	source, bin, hello := newModule(t), filepath.Join(t.TempDir(), "bin"), Program{"hello", "./cmd/hello"}
	out, err := builds(t, source, bin, hello)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "[1/1] hello: built in ") {
		t.Errorf("the first build says\n%s", out)
	}
	if diff := cmp.Diff("hello\n", runs(t, filepath.Join(bin, "hello"))); diff != "" {
		t.Error(diff)
	}

	if out, err = builds(t, source, bin, hello); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bin+": 1 programs are up to date\n", out); diff != "" {
		t.Error(diff)
	}

	write(t, filepath.Join(source, "cmd/hello/main.go"), "package main\n\nfunc main() { println(\"bye\") }\n")
	if _, err = builds(t, source, bin, hello); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("bye\n", runs(t, filepath.Join(bin, "hello"))); diff != "" {
		t.Error(diff)
	}
}

func TestABuildThatFailsShowsWhyAndKeepsWhatWasBuilt(t *testing.T) {
	source, bin, hello := newModule(t), filepath.Join(t.TempDir(), "bin"), Program{"hello", "./cmd/hello"}
	if _, err := builds(t, source, bin, hello); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(source, "cmd/hello/main.go"), "package main\n\nfunc main() { nonsense() }\n")
	_, err := builds(t, source, bin, hello)
	if err == nil || !strings.Contains(err.Error(), "undefined: nonsense") {
		t.Errorf("Build() = %v; want the compiler's message", err)
	}
	if diff := cmp.Diff("hello\n", runs(t, filepath.Join(bin, "hello"))); diff != "" {
		t.Error(diff)
	}
	entries, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if diff := cmp.Diff([]string{".lock", ".stamps", "hello"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestABuildThatTakesLongGivesSignsOfLife(t *testing.T) {
	beats := make(chan struct{})
	stop := Builder{Heartbeat: time.Millisecond}.beat(func() { beats <- struct{}{} })
	<-beats
	<-beats
	go func() {
		for range beats { // one may be on its way when it is stopped
		}
	}()
	stop()
	close(beats) // a beat after the stop would panic
}

func TestAMissingToolchainIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := builds(t, newModule(t), t.TempDir(), all[0])
	if err == nil || !strings.Contains(err.Error(), "the Go toolchain is needed") {
		t.Errorf("Build() = %v", err)
	}
}

func TestAProxyOutOfReachIsNamed(t *testing.T) {
	t.Setenv("GOPROXY", "http://127.0.0.1:1")
	t.Setenv("GOMODCACHE", t.TempDir())
	_, err := ModuleDir(t.Context(), filepath.Join("..", ".."), "cert-manager")
	if err == nil || !strings.Contains(err.Error(), "is the proxy that `go env GOPROXY` names within reach?") {
		t.Errorf("ModuleDir() = %v", err)
	}
}

func TestAFolderWithoutAModuleIsNamed(t *testing.T) {
	_, err := builds(t, t.TempDir(), t.TempDir(), all[0])
	if err == nil || !strings.Contains(err.Error(), "--source") {
		t.Errorf("Build() = %v", err)
	}
}
