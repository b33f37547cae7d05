// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// module is a Go module whose packages are tested.
type module struct {
	directory string
}

// The limit is reached by a package that hangs: what its tests wait for ends earlier, and is told better.
const limit = 60 * time.Minute

// tested are the packages of the patterns that have tests.
func (m module) tested(ctx context.Context, patterns []string) ([]string, error) {
	out, err := m.list(ctx, append([]string{"-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}"},
		patterns...)...)
	return strings.Fields(string(out)), err
}

// among are the packages that the patterns name. Each has to name some with tests.
func (m module) among(ctx context.Context, patterns []string) (map[string]bool, error) {
	isNamed := map[string]bool{}
	for _, pattern := range patterns {
		named, err := m.tested(ctx, []string{pattern})
		if err != nil {
			return nil, err
		}
		if len(named) == 0 {
			return nil, fmt.Errorf("%s has no tests", pattern)
		}
		for _, name := range named {
			isNamed[name] = true
		}
	}
	return isNamed, nil
}

// compile puts into go's build cache what the tests of the packages are made of, and all that those import.
func (m module) compile(ctx context.Context, patterns []string, out io.Writer) error {
	// A program is always stale, for it is linked anew.
	stale, err := m.list(ctx, append([]string{"-race", "-test", "-deps", "-f", `{{if and .Stale (ne .Name ` +
		`"main")}}{{.ImportPath}}{{end}}`}, patterns...)...)
	if err != nil {
		return err
	}
	counter := newCounter(out, len(bytes.Fields(stale)))
	defer counter.end()
	// -export is for tools that read what the compiler has written about a package, and so lets go compile it and not
	// link.
	command := m.goCommand(ctx, append([]string{"list", "-race", "-test", "-export", "-v", "-f", " "}, patterns...)...)
	command.Stderr = counter
	if err := command.Run(); err != nil {
		return fmt.Errorf("nothing is run, since not everything compiles: %w\n%s", err, counter.messages())
	}
	return nil
}

// run tests packages, some of them at a time, and tells progress what becomes of them. The linter vets them.
func (m module) run(ctx context.Context, packages []string, atOnce int, progress *progress) error {
	command := m.goCommand(ctx,
		append([]string{"test", "-json", "-race", "-vet=off", "-timeout", limit.String(), "-p", strconv.Itoa(atOnce)},
			packages...)...)
	command.Stderr = os.Stderr
	events, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	readErr := progress.read(events)
	err = command.Wait()
	if readErr != nil {
		return readErr
	}
	if err != nil && !progress.hasFailed() {
		return fmt.Errorf("go test ended without saying what has failed: %w", err)
	}
	return ctx.Err()
}

func (m module) list(ctx context.Context, arguments ...string) ([]byte, error) {
	command := m.goCommand(ctx, append([]string{"list"}, arguments...)...)
	command.Stderr = os.Stderr
	return command.Output()
}

func (m module) goCommand(ctx context.Context, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = m.directory
	// go ends its compilers and its tests when it is interrupted; killed, it would leave them.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = 30 * time.Second
	return command
}
