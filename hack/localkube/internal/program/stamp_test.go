// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newModule writes the parts of a module that stamps are made of.
func newModule(t *testing.T) string {
	t.Helper()
	source := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":              "module example.com/m\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v1.37.2\n",
		"go.sum":              "",
		"cmd/hello/main.go":   "package main\n\nfunc main() { println(\"hello\") }\n",
		"cmd/another/main.go": "package main\n\nfunc main() {}\n",
	} {
		write(t, filepath.Join(source, name), content)
	}
	return source
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestAStampCoversAllThatAProgramIsMadeFrom(t *testing.T) {
	own, theirs := Program{"hello", "./cmd/hello"}, Program{"etcd", "go.etcd.io/etcd/server/v3"}
	for name, test := range map[string]struct {
		program   Program
		file      string
		toolchain string
		argument  string
		changes   bool
	}{
		"another version of a module":     {program: theirs, file: "go.mod", changes: true},
		"another hash of a module":        {program: theirs, file: "go.sum", changes: true},
		"another toolchain":               {program: theirs, toolchain: "go1.27.0", changes: true},
		"another flag":                    {program: theirs, argument: "-race", changes: true},
		"the program's own source":        {program: own, file: "cmd/hello/main.go", changes: true},
		"a further file of the program":   {program: own, file: "cmd/hello/more.go", changes: true},
		"the source of another program":   {program: own, file: "cmd/another/main.go", changes: false},
		"our source, for somebody else's": {program: theirs, file: "cmd/hello/main.go", changes: false},
		"nothing at all":                  {program: own, changes: false},
	} {
		t.Run(name, func(t *testing.T) {
			source := newModule(t)
			before, err := stampOf(source, test.program, "go1.26.8", []string{"build"})
			if err != nil {
				t.Fatal(err)
			}
			if test.file != "" {
				write(t, filepath.Join(source, test.file), "package main // changed")
			}
			toolchain, arguments := "go1.26.8", []string{"build"}
			if test.toolchain != "" {
				toolchain = test.toolchain
			}
			if test.argument != "" {
				arguments = append(arguments, test.argument)
			}
			after, err := stampOf(source, test.program, toolchain, arguments)
			if err != nil {
				t.Fatal(err)
			}
			if (before != after) != test.changes {
				t.Errorf("changed: %v; want %v", before != after, test.changes)
			}
		})
	}
}

func TestAStampVouchesOnlyForAWholeBinaryOfItsOwn(t *testing.T) {
	bin, p := t.TempDir(), Program{"hello", "./cmd/hello"}
	built := filepath.Join(bin, ".building-hello")
	write(t, built, "binary")
	if err := stamp("one").install(bin, p, built); err != nil {
		t.Fatal(err)
	}
	if !stamp("one").matches(bin, p) {
		t.Error("what was installed is not up to date")
	}
	if stamp("two").matches(bin, p) {
		t.Error("another stamp matches")
	}
	write(t, filepath.Join(bin, "hello"), "")
	if stamp("one").matches(bin, p) {
		t.Error("an empty binary is up to date")
	}
	if err := os.Remove(filepath.Join(bin, "hello")); err != nil {
		t.Fatal(err)
	}
	if stamp("one").matches(bin, p) {
		t.Error("a binary that is missing is up to date")
	}
}

func TestAnInstallationThatFailsLeavesNoStamp(t *testing.T) {
	bin, p := t.TempDir(), Program{"hello", "./cmd/hello"}
	write(t, filepath.Join(bin, "hello"), "old binary")
	write(t, stampPath(bin, p), "old")
	if err := stamp("new").install(bin, p, filepath.Join(bin, "nothing")); err == nil {
		t.Fatal("nothing was installed")
	}
	for _, s := range []stamp{"old", "new"} {
		if s.matches(bin, p) {
			t.Errorf("the %s stamp vouches for the binary", s)
		}
	}
}

// A stamp covers the folder of a program, and not what that would import from elsewhere in this module.
func TestProgramsOfThisModuleImportNothingElseOfIt(t *testing.T) {
	const module = "github.com/aliyun-issuer/aliyun-issuer"
	root := filepath.Join("..", "..")
	checked := 0
	for _, p := range all {
		if !strings.HasPrefix(p.Package, "./") {
			continue
		}
		files, err := filepath.Glob(filepath.Join(root, p.Package, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no Go files (%v)", p.Package, err)
		}
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range file.Imports {
				checked++
				if strings.Contains(spec.Path.Value, module) {
					t.Errorf("%s imports %s", path, spec.Path.Value)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no import was looked at")
	}
}
