// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command verify fails when the tree is not what its sources say: a generated file that differs from what would be
// generated now, an untidy go.mod, a file without licence header or with other formatting than gofmt's. It works in a
// copy; the tree itself stays as it is, half-finished work included.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	var skip exemptions
	flag.StringVar(&skip.tidy, "skip-tidy", "", "directory of a module whose go.mod is not checked")
	flag.StringVar(&skip.header, "skip-header", "", "folders without header, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := verify(ctx, ".", skip)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify: %v\n", err)
		os.Exit(1)
	}
}

// exemptions are what is not checked yet.
type exemptions struct{ tidy, header string }

func (skip exemptions) hasHeader(file string) bool {
	for folder := range strings.SplitSeq(skip.header, ",") {
		if folder != "" && strings.HasPrefix(file, folder+"/") {
			return false
		}
	}
	return true
}

// verify runs all checks on a copy of the repository at root, so that one run names everything there is to mend.
func verify(ctx context.Context, root string, skip exemptions) error {
	directory, err := os.MkdirTemp("", "verify-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()

	files, err := copyTree(ctx, root, directory)
	if err != nil {
		return fmt.Errorf("copy the tree: %w", err)
	}
	return errors.Join(
		checkHeaders(directory, files, skip),
		checkFormat(directory, files),
		checkGenerated(ctx, directory, files, skip),
	)
}
