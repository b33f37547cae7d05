// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newModule has package a, which is tested, b, which has no tests, and c, whose test is as given.
func newModule(t *testing.T, test string) module {
	t.Helper()
	m := module{t.TempDir()}
	for name, text := range map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.26\n",
		"a/a.go":      "package a\n",
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n",
		"b/b.go":      "package b\n",
		"c/c_test.go": "package c\n\nimport \"testing\"\n\n" + test,
	} {
		path := filepath.Join(m.directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestPackagesWithoutTestsAreNotCounted(t *testing.T) {
	m := newModule(t, "func TestC(t *testing.T) {}\n")
	packages, err := m.tested(t.Context(), []string{"./..."})
	if diff := cmp.Diff([]string{"example.com/m/a", "example.com/m/c"}, packages); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := m.among(t.Context(), []string{"./b"}); err == nil {
		t.Error("a package without tests can be named as one to run alone")
	}
}

func TestNothingIsLeftToCompileWhenTestsBegin(t *testing.T) {
	m := newModule(t, "func TestC(t *testing.T) {}\n")
	var first, second strings.Builder
	for _, out := range []*strings.Builder{&first, &second} {
		if err := m.compile(t.Context(), []string{"./..."}, out); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(first.String(), "packages compiled\n") || second.String() != "" {
		t.Errorf("compiling said at first %q, and then %q", first.String(), second.String())
	}
}

func TestNothingRunsWhereATestDoesNotCompile(t *testing.T) {
	m := newModule(t, "func TestC(t *testing.T) { t.NoSuchThing() }\n")
	err := m.compile(t.Context(), []string{"./..."}, &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "nothing is run") || !strings.Contains(err.Error(), "NoSuchThing") {
		t.Errorf("compiling ended with %v", err)
	}
}

func TestEveryPackageRunsThoughOneFails(t *testing.T) {
	m := newModule(t, "func TestC(t *testing.T) { t.Fatal(\"no\") }\n")
	var out strings.Builder
	p := newProgress(&out, 2)
	defer p.end()
	if err := m.run(t.Context(), []string{"example.com/m/a", "example.com/m/c"}, 1, p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("1 of 2 packages passed, 1 failed", p.String()); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"ok  \texample.com/m/a\t", "c_test.go:5: no\n", "FAIL\texample.com/m/c\t"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("what is printed lacks %q:\n%s", want, out.String())
		}
	}
	if err := p.verdict(); err == nil || !strings.HasSuffix(err.Error(), " example.com/m/c") {
		t.Errorf("the verdict is %v", err)
	}
}
