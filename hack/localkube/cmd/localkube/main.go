// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command localkube builds a real Kubernetes control plane and a real cert-manager from the Go module proxy,
// and runs them on 127.0.0.1. It needs a Go toolchain and nothing else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/cluster"
	"github.com/aliyun-issuer/aliyun-issuer/hack/localkube/internal/program"
)

const usage = `localkube: a Kubernetes control plane and cert-manager on 127.0.0.1, made from Go modules.

  localkube build [--bin DIR] envtest|all|PROGRAM...   build what is missing or out of date
  localkube path cert-manager                          print the folder of that module (chart, CRDs)
  localkube up [--cert-manager] [--audit]              start what does not run
  localkube status                                     list the processes; fails unless all run
  localkube token --namespace N --serviceaccount S --out FILE
                                                       write a kubeconfig of a ServiceAccount, good for 24 hours
  localkube run NAME [--ready URL] -- COMMAND...       start a further process, which "down" ends first
  localkube stop NAME                                  end one process
  localkube down [--data]                              end all processes, and remove the folder

Flags of all commands, with their defaults:
  --bin bin/k8s            folder of the built programs
  --dir .localkube         folder of the cluster: keys, data, logs, pids, kubeconfig
  --source hack/localkube  folder of the go.mod that pins the versions
`

// heartbeat keeps a build's terminal, or CI, from looking stuck.
const heartbeat = 15 * time.Second

// flags are those of every command; each uses some.
type flags struct {
	bin, dir, source               string
	certManager, audit, data       bool
	namespace, serviceAccount, out string
	ready                          string
	readyTimeout                   time.Duration
	words                          []string // arguments that are no flags
	command                        []string // what follows "--"
}

var commands = map[string]func(context.Context, flags) error{
	"build":  build,
	"path":   path,
	"up":     up,
	"status": func(_ context.Context, f flags) error { return withCluster(f, (*cluster.Cluster).Status) },
	"token":  token,
	"run":    run,
	"stop":   stop,
	"down": func(_ context.Context, f flags) error {
		return withCluster(f, func(c *cluster.Cluster) error { return c.Down(f.data) })
	},
}

func main() {
	// An interrupt ends the command, not what it has started: that is in sessions of its own.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := execute(ctx, os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
	case err != nil:
		fmt.Fprintln(os.Stderr, "localkube:", err)
		os.Exit(1)
	}
}

func execute(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return flag.ErrHelp
	}
	command, known := commands[arguments[0]]
	if !known {
		return fmt.Errorf("there is no command %q; `localkube --help` lists them", arguments[0])
	}
	f, err := parse(arguments[1:])
	if err != nil {
		return err
	}
	return command(ctx, f)
}

// parse takes flags before and after other words, up to "--".
func parse(arguments []string) (flags, error) {
	var f flags
	if i := slices.Index(arguments, "--"); i >= 0 {
		arguments, f.command = arguments[:i], arguments[i+1:]
	}
	set := flag.NewFlagSet("localkube", flag.ContinueOnError)
	set.SetOutput(os.Stderr)
	set.Usage = func() {} // main prints it
	set.StringVar(&f.bin, "bin", "bin/k8s", "")
	set.StringVar(&f.dir, "dir", ".localkube", "")
	set.StringVar(&f.source, "source", "hack/localkube", "")
	set.BoolVar(&f.certManager, "cert-manager", false, "")
	set.BoolVar(&f.audit, "audit", false, "")
	set.BoolVar(&f.data, "data", false, "")
	set.StringVar(&f.namespace, "namespace", "", "")
	set.StringVar(&f.serviceAccount, "serviceaccount", "", "")
	set.StringVar(&f.out, "out", "", "")
	set.StringVar(&f.ready, "ready", "", "")
	set.DurationVar(&f.readyTimeout, "ready-timeout", 10*time.Minute, "")
	for len(arguments) > 0 {
		if err := set.Parse(arguments); err != nil {
			return flags{}, err
		}
		if arguments = set.Args(); len(arguments) > 0 {
			f.words, arguments = append(f.words, arguments[0]), arguments[1:]
		}
	}
	return f, nil
}

func withCluster(f flags, do func(*cluster.Cluster) error) error {
	c, err := cluster.Open(f.dir, f.bin, os.Stdout)
	if err != nil {
		return err
	}
	return do(c)
}

func build(ctx context.Context, f flags) error {
	if len(f.words) == 0 {
		return errors.New("what to build? envtest, all, or names of programs")
	}
	programs, err := program.Select(f.words)
	if err != nil {
		return err
	}
	return program.Builder{Source: f.source, Bin: f.bin, Out: os.Stdout, Heartbeat: heartbeat}.Build(ctx, programs)
}

func path(ctx context.Context, f flags) error {
	if len(f.words) != 1 {
		return errors.New("which module? cert-manager")
	}
	dir, err := program.ModuleDir(ctx, f.source, f.words[0])
	if err != nil {
		return err
	}
	fmt.Println(dir)
	return nil
}

func up(ctx context.Context, f flags) error {
	options := cluster.Options{Audit: f.audit}
	if f.certManager {
		options.Chart = func(ctx context.Context) (string, error) {
			module, err := program.ModuleDir(ctx, f.source, "cert-manager")
			return module + "/deploy/charts/cert-manager", err
		}
	}
	return withCluster(f, func(c *cluster.Cluster) error { return c.Up(ctx, options) })
}

func token(ctx context.Context, f flags) error {
	if f.namespace == "" || f.serviceAccount == "" || f.out == "" {
		return errors.New("--namespace, --serviceaccount and --out are needed")
	}
	return withCluster(f, func(c *cluster.Cluster) error { return c.Token(ctx, f.namespace, f.serviceAccount, f.out) })
}

func run(ctx context.Context, f flags) error {
	if len(f.words) != 1 || len(f.command) == 0 {
		return errors.New("usage: localkube run NAME [--ready URL] -- COMMAND...")
	}
	ctx, cancel := context.WithTimeout(ctx, f.readyTimeout)
	defer cancel()
	return withCluster(f, func(c *cluster.Cluster) error {
		return c.Run(ctx, f.words[0], f.ready, f.command[0], f.command[1:]...)
	})
}

func stop(_ context.Context, f flags) error {
	if len(f.words) != 1 {
		return errors.New("usage: localkube stop NAME")
	}
	return withCluster(f, func(c *cluster.Cluster) error { return c.Stop(f.words[0]) })
}
