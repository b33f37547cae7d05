// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command test runs the tests of a module with the race detector, in steps that do not disturb each other: everything
// is compiled before anything runs, then packages run beside each other, as many as the machine has control planes for,
// and then those that start several control planes of their own, one after another. go test would compile and run at
// the same time, and what runs then waits for a processor instead of for what it tests.
//
//	go run ./hack/test [-C DIRECTORY] [-first PACKAGES] [-alone PACKAGES] PACKAGES...
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/aliyun-issuer/aliyun-issuer/test/machine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context) error {
	directory := flag.String("C", ".", "directory of the module")
	first := flag.String("first", "", "packages of the module that begin before others, separated by commas: those "+
		"that take longest, so that nothing waits for one at the end")
	alone := flag.String("alone", "", "packages of the module that run with nothing beside them, separated by commas")
	flag.Parse()
	m := module{directory: *directory}
	packages, err := m.tested(ctx, flag.Args())
	if err != nil {
		return err
	}
	if len(packages) == 0 {
		return fmt.Errorf("no package of %v has tests", flag.Args())
	}
	lonely, err := m.among(ctx, split(*alone))
	if err != nil {
		return err
	}
	early, err := m.among(ctx, split(*first))
	if err != nil {
		return err
	}
	if err := m.compile(ctx, flag.Args(), os.Stdout); err != nil {
		return err
	}
	progress := newProgress(os.Stdout, len(packages))
	defer progress.end()
	together, apart := among(packages, lonely, false), among(packages, lonely, true)
	together = slices.Concat(among(together, early, true), among(together, early, false))
	for _, group := range []struct {
		packages []string
		atOnce   int
	}{{together, machine.ControlPlanes()}, {apart, 1}} {
		if len(group.packages) == 0 {
			continue
		}
		fmt.Printf("running %d packages, %d at a time\n", len(group.packages), min(group.atOnce, len(group.packages)))
		if err := m.run(ctx, group.packages, group.atOnce, progress); err != nil {
			return err
		}
	}
	return progress.verdict()
}

// among are the packages that are named, or those that are not.
func among(packages []string, named map[string]bool, isNamed bool) []string {
	return slices.DeleteFunc(slices.Clone(packages), func(p string) bool { return named[p] != isNamed })
}

// split reads a list that is separated by commas.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
