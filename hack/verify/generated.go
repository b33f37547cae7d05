// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
)

// checkGenerated generates everything anew in the copy and fails with the difference.
func checkGenerated(ctx context.Context, directory string, files []string) error {
	// The index of a repository of its own is the state before.
	for _, arguments := range [][]string{{"init", "--quiet"}, {"add", "--all", "--force"}} {
		if _, err := git(ctx, directory, arguments...); err != nil {
			return err
		}
	}
	if err := run(ctx, directory, "make", "--no-print-directory", "generate", "manifests"); err != nil {
		return err
	}
	generated := difference(ctx, directory, "generated files differ from their sources, mend with `make "+
		"generate manifests`")
	if _, err := git(ctx, directory, "add", "--all"); err != nil {
		return err
	}

	for _, file := range files {
		if path.Base(file) != "go.mod" {
			continue
		}
		if err := run(ctx, filepath.Join(directory, path.Dir(file)), "go", "mod", "tidy"); err != nil {
			return errors.Join(generated, fmt.Errorf("%s: %w", file, err))
		}
	}
	return errors.Join(generated, difference(ctx, directory, "modules are not tidy, mend with `go mod tidy` in "+
		"their directories"))
}

// difference is an error with the difference between the index and the files of directory; nil without any.
func difference(ctx context.Context, directory, problem string) error {
	if _, err := git(ctx, directory, "add", "--intent-to-add", "."); err != nil {
		return err
	}
	diff, err := git(ctx, directory, "diff", "--no-color", "--no-ext-diff")
	if err != nil {
		return err
	}
	if diff == "" {
		return nil
	}
	return fmt.Errorf("%s:\n%s", problem, diff)
}

func run(ctx context.Context, directory, name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = directory
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	return nil
}
