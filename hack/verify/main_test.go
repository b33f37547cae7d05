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

const goHeader = "// Copyright the aliyun-issuer authors.\n// SPDX-License-Identifier: Apache-2.0\n\n"

// The tree of these tests is a small one with generators of its own, so that a test takes milliseconds. That the
// generators of this repository are run is the matter of TestThisRepositoryIsChecked.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for file, content := range map[string]string{
		"go.mod":         "module example.com/tree\n\ngo 1.26.0\n",
		"tool/go.mod":    "module example.com/tree/tool\n\ngo 1.26.0\n",
		"main.go":        goHeader + "package main\n\nfunc main() {}\n",
		"types.txt":      "A\n",
		"generated.txt":  "from A\n",
		"manifest.txt":   "manifest of A\n",
		".gitignore":     "/bin/\n",
		"bin/ignored.go": "package  ignored",
		"doc/notes.md":   "no header needed\n",
		"script.sh":      "#!/bin/sh\n# Copyright the aliyun-issuer authors.\n# SPDX-License-Identifier: Apache-2.0\n",
		"constrained.go": "//go:build ignore\n\n" + goHeader + "package main\n",
		"Makefile": "# Copyright the aliyun-issuer authors.\n# SPDX-License-Identifier: " +
			"Apache-2.0\n\ngenerate:\n\tsed 's/^/from /' types.txt > generated.txt\n\nmanifests:\n\tsed " +
			"'s/^/manifest of /' types.txt > manifest.txt\n",
		"tool/tool.go":    goHeader + "package main\n\nfunc main() {}\n",
		"tool/deep/x.txt": "data\n",
	} {
		write(t, root, file, content)
	}
	if _, err := git(t.Context(), root, "init", "--quiet"); err != nil {
		t.Fatal(err)
	}
	return root
}

func write(t *testing.T, root, file, content string) {
	t.Helper()
	path := filepath.Join(root, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestATreeThatIsWhatItsSourcesSayPasses(t *testing.T) {
	if err := verify(t.Context(), tree(t)); err != nil {
		t.Error(err)
	}
}

func TestWhatDiffersIsNamedWithTheWayToMendIt(t *testing.T) {
	tests := map[string]struct {
		file, content string
		want          []string
	}{
		"a source that was changed without generating": {
			"types.txt", "B\n",
			[]string{"make generate manifests", "-from A", "+from B", "-manifest of A", "+manifest of B"},
		},
		"a generated file that was edited by hand": {
			"generated.txt", "from me\n",
			[]string{"make generate manifests", "-from me", "+from A"},
		},
		"a generated file that was never added": {
			"Makefile", "# Copyright the aliyun-issuer authors.\n# SPDX-License-Identifier: Apache-2.0\n\ngenerate " +
				"manifests:\n\techo A > new.txt\n",
			[]string{"make generate manifests", "+++ b/new.txt", "+A"},
		},
		"a generator that fails": {
			"Makefile", "# Copyright the aliyun-issuer authors.\n# SPDX-License-Identifier: Apache-2.0\n\ngenerate " +
				"manifests:\n\t@echo cannot read the types; exit 3\n",
			[]string{"cannot read the types"},
		},
		"an untidy go.mod": {
			"go.mod", "module example.com/tree\n\ngo 1.26.0\n\nrequire github.com/google/go-cmp v0.7.0\n",
			[]string{"go mod tidy", "-require github.com/google/go-cmp v0.7.0"},
		},
		"an untidy go.mod of a nested module": {
			"tool/go.mod", "module example.com/tree/tool\n\ngo 1.26.0\n\nrequire github.com/google/go-cmp v0.7.0\n",
			[]string{"go mod tidy", "a/tool/go.mod"},
		},
		"a Go file without header": {
			"tool/tool.go", "package main\n\nfunc main() {}\n",
			[]string{"no licence header", "\ttool/tool.go"},
		},
		"a header that is half there": {
			"tool/tool.go", "// Copyright the aliyun-issuer authors.\n\npackage main\n\nfunc main() {}\n",
			[]string{"no licence header", "\ttool/tool.go"},
		},
		"a header that comes after the code": {
			"main.go", "package main\n\nfunc main() {\n}\n\n" + goHeader,
			[]string{"no licence header", "\tmain.go"},
		},
		"a script without header": {
			"script.sh", "#!/bin/sh\necho\n",
			[]string{"no licence header", "\tscript.sh"},
		},
		"a Go file with another format": {
			"main.go", goHeader + "package main\nfunc main() { }\n",
			[]string{"make fmt", "\tmain.go"},
		},
		"a Go file that is none": {
			"main.go", goHeader + "package\n",
			[]string{"main.go: "},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := tree(t)
			write(t, root, test.file, test.content)
			before := contents(t, root)

			err := verify(t.Context(), root)
			if err == nil {
				t.Fatal("passed")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
			if diff := cmp.Diff(before, contents(t, root)); diff != "" {
				t.Errorf("the tree was changed:\n%s", diff)
			}
		})
	}
}

func TestAllThatDiffersIsNamedAtOnce(t *testing.T) {
	root := tree(t)
	write(t, root, "types.txt", "B\n")
	write(t, root, "tool/tool.go", "package  main\n")
	write(t, root, "go.mod", "module example.com/tree\n\ngo 1.26.0\n\nrequire github.com/google/go-cmp v0.7.0\n")

	err := verify(t.Context(), root)
	for _, want := range []string{"no licence header", "make fmt", "make generate manifests", "go mod tidy"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

func TestAFileThatIsDeletedButNotYetCommittedIsNotMissed(t *testing.T) {
	root := tree(t)
	if _, err := git(t.Context(), root, "add", "--all"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "script.sh")); err != nil {
		t.Fatal(err)
	}
	if err := verify(t.Context(), root); err != nil {
		t.Error(err)
	}
}

// TestThisRepositoryIsChecked breaks a copy of this repository wherever something is generated.
func TestThisRepositoryIsChecked(t *testing.T) {
	root := t.TempDir()
	if _, err := copyTree(t.Context(), filepath.Join("..", ".."), root); err != nil {
		t.Fatal(err)
	}
	if _, err := git(t.Context(), root, "init", "--quiet"); err != nil {
		t.Fatal(err)
	}
	generated := []string{
		"api/v1alpha1/zz_generated.deepcopy.go",
		"config/crd/bases/certmanager.aliyun.com_aliyunorders.yaml",
		"charts/aliyun-issuer/templates/crds/certmanager.aliyun.com_aliyunorders.yaml",
		"charts/aliyun-issuer/templates/_rules.tpl",
	}
	for _, file := range generated {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, root, file, string(content)+"\n# edited by hand\n")
	}

	err := verify(t.Context(), root)
	for _, file := range generated {
		if err == nil || !strings.Contains(err.Error(), "+++ b/"+file+"\n") {
			t.Errorf("an edited %s is not found:\n%v", file, err)
		}
	}
}

func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
