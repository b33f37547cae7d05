// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/flock"
)

// Builder builds programs of one module into one folder.
type Builder struct {
	// Source is the folder with the go.mod that pins every version.
	Source string
	// Bin receives the programs.
	Bin string
	// Out is told what is going on, line by line.
	Out io.Writer
	// Heartbeat is the time between two signs of life of a build that takes long.
	Heartbeat time.Duration
}

// Build makes the programs that are missing or out of date. It returns at once when there are none.
func (b Builder) Build(ctx context.Context, programs []Program) error {
	toolchain, err := goOutput(ctx, b.Source, "env", "GOVERSION", "GOHOSTOS", "GOHOSTARCH", "GOEXPERIMENT")
	if err != nil {
		return err
	}
	goMod, err := os.ReadFile(filepath.Join(b.Source, "go.mod"))
	if err != nil {
		return err
	}
	arguments, err := arguments(goMod)
	if err != nil {
		return err
	}
	stamps := map[Program]stamp{}
	for _, p := range programs {
		if stamps[p], err = stampOf(b.Source, p, string(toolchain), arguments); err != nil {
			return err
		}
	}
	if len(b.outdated(programs, stamps)) == 0 {
		fmt.Fprintf(b.Out, "%s: %d programs are up to date\n", b.Bin, len(programs))
		return nil
	}

	release, err := flock.Hold(b.Bin, func() {
		fmt.Fprintf(b.Out, "%s: another build is under way; waiting for it\n", b.Bin)
	})
	if err != nil {
		return err
	}
	defer release()
	outdated := b.outdated(programs, stamps) // the other build may have made some
	for i, p := range outdated {
		if err := b.build(ctx, p, stamps[p], arguments,
			fmt.Sprintf("[%d/%d] %s", i+1, len(outdated), p.Name)); err != nil {
			return err
		}
	}
	return nil
}

func (b Builder) outdated(programs []Program, stamps map[Program]stamp) []Program {
	var outdated []Program
	for _, p := range programs {
		if !stamps[p].matches(b.Bin, p) {
			outdated = append(outdated, p)
		}
	}
	return outdated
}

// build runs `go build` for one program; title begins every line that it prints.
func (b Builder) build(ctx context.Context, p Program, s stamp, arguments []string, title string) error {
	bin, err := filepath.Abs(b.Bin)
	if err != nil {
		return err
	}
	unfinished := filepath.Join(bin, ".building-"+p.Name)
	defer os.Remove(unfinished)

	progress := &progress{}
	command := goCommand(ctx, b.Source, append(arguments, "-o", unfinished, p.Package)...)
	command.Stderr = progress
	begin := time.Now()
	fmt.Fprintf(b.Out, "%s: compiling %s\n", title, p.Package)
	stop := b.beat(func() { fmt.Fprintf(b.Out, "%s: %s so far, %s\n", title, elapsed(begin), progress) })
	err = command.Run()
	stop()
	if err != nil {
		return fmt.Errorf("build %s: %w", p.Name, explain(err, progress.errors()))
	}
	if err := s.install(b.Bin, p, unfinished); err != nil {
		return err
	}
	fmt.Fprintf(b.Out, "%s: built in %s\n", title, elapsed(begin))
	return nil
}

// beat calls a function every heartbeat until the function it returns is called.
func (b Builder) beat(sign func()) (stop func()) {
	ticker, done := time.NewTicker(b.Heartbeat), make(chan struct{})
	var over sync.WaitGroup
	over.Go(func() {
		for {
			select {
			case <-ticker.C:
				sign()
			case <-done:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		over.Wait()
	}
}

func elapsed(since time.Time) time.Duration {
	return time.Since(since).Round(100 * time.Millisecond)
}

func goCommand(ctx context.Context, dir string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir, command.Env = dir, environment()
	// `go` ends its compilers when it is interrupted; killed, it would leave them.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = 10 * time.Second
	return command
}

func goOutput(ctx context.Context, dir string, arguments ...string) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return nil, fmt.Errorf("%w: run localkube from the root of the repository, or name its folder with --source",
			err)
	}
	var stderr bytes.Buffer
	command := goCommand(ctx, dir, arguments...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(arguments, " "), explain(err, stderr.String()))
	}
	return out, nil
}

// explain adds to the failure of a `go` command what a reader can do about it.
func explain(err error, stderr string) error {
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("the Go toolchain is needed and `go` is not on the PATH: see https://go.dev/doc/install")
	}
	for _, sign := range []string{"dial tcp", "proxyconnect", "no such host", "i/o timeout", "TLS handshake timeout",
		"module lookup disabled"} {
		if strings.Contains(stderr, sign) {
			return fmt.Errorf("%w: modules could not be fetched; is the proxy that `go env GOPROXY` names "+
				"within reach?\n%s", err, stderr)
		}
	}
	return fmt.Errorf("%w\n%s", err, stderr)
}
