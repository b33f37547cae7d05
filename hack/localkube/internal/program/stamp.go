// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// stamp is a hash over everything that a program is made from. A program whose stamp is in the folder of
// binaries is up to date.
type stamp string

// stampOf hashes go.mod, go.sum, the toolchain, the arguments of the build and, for a program of this module,
// the Go files of its folder: such a program imports nothing else of this module.
func stampOf(source string, p Program, toolchain string, arguments []string) (stamp, error) {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q %q %q\n", p, toolchain, arguments)
	files := []string{filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum")}
	if strings.HasPrefix(p.Package, "./") {
		own, err := filepath.Glob(filepath.Join(source, p.Package, "*.go"))
		if err != nil {
			return "", err
		}
		files = append(files, own...)
	}
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(hash, "%s\n", filepath.Base(path))
		_, err = io.Copy(hash, file)
		_ = file.Close() // only read
		if err != nil {
			return "", err
		}
	}
	return stamp(hex.EncodeToString(hash.Sum(nil))), nil
}

func stampPath(bin string, p Program) string {
	return filepath.Join(bin, ".stamps", p.Name)
}

func (s stamp) matches(bin string, p Program) bool {
	if info, err := os.Stat(filepath.Join(bin, p.Name)); err != nil || info.Size() == 0 {
		return false
	}
	built, err := os.ReadFile(stampPath(bin, p))
	return err == nil && string(built) == string(s)
}

// install puts a finished binary in its place. The old stamp goes first and the new one comes last, so that a
// stamp never vouches for a binary it was not made for; a program that runs keeps its old file.
func (s stamp) install(bin string, p Program, built string) error {
	path := stampPath(bin, p)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if err := os.Rename(built, filepath.Join(bin, p.Name)); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(s), 0o644)
}
