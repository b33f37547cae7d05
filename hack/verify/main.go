// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command verify fails when the tree is not what its sources say: a generated file that differs from what would be
// generated now, an untidy go.mod, a file without licence header or with other formatting than gofmt's. It works in a
// copy; the tree itself stays as it is, half-finished work included.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := verify(ctx, ".")
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify: %v\n", err)
		os.Exit(1)
	}
}

// verify runs all checks on a copy of the repository at root, so that one run names everything there is to mend.
func verify(ctx context.Context, root string) error {
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
		checkHeaders(directory, files),
		checkFormat(directory, files),
		checkGenerated(ctx, directory, files),
	)
}
