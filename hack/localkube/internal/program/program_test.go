// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWordsSelectPrograms(t *testing.T) {
	for words, want := range map[string]string{
		"envtest":                 "etcd kube-apiserver",
		"envtest kubectl":         "etcd kube-apiserver kubectl",
		"kubectl envtest kubectl": "etcd kube-apiserver kubectl",
		"all": "etcd kube-apiserver kube-controller-manager kubectl helm cm-controller " +
			"cm-webhook cm-cainjector",
		"envtest all": "etcd kube-apiserver kube-controller-manager kubectl helm cm-controller cm-webhook cm-cainjector",
	} {
		programs, err := Select(strings.Fields(words))
		if err != nil {
			t.Errorf("%s: %v", words, err)
		}
		var names []string
		for _, p := range programs {
			names = append(names, p.Name)
		}
		if diff := cmp.Diff(want, strings.Join(names, " ")); diff != "" {
			t.Errorf("%s: %s", words, diff)
		}
	}
	if _, err := Select([]string{"kubelet"}); err == nil || !strings.Contains(err.Error(), `"kubelet"`) {
		t.Errorf("Select(kubelet) = %v", err)
	}
}

func TestTheVersionInGoModBecomesThatOfTheServer(t *testing.T) {
	for name, goMod := range map[string]string{
		"alone":    "require k8s.io/kubernetes v1.37.2\n",
		"in block": "require (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)\n",
	} {
		got, err := arguments([]byte(goMod))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		flags := strings.Join(got, " ")
		for _, want := range []string{"version.gitVersion=v1.37.2 ", "version.gitMajor=1 ", "version.gitMinor=37 "} {
			if !strings.Contains(flags, want) {
				t.Errorf("%s: the flags lack %q: %s", name, want, flags)
			}
		}
	}
	if _, err := arguments([]byte("require k8s.io/api v0.37.2\n")); err == nil {
		t.Error("a go.mod without Kubernetes gives flags")
	}
}

// TestWhatRunsMuchIsOptimisedAndNothingElse asks go itself which of the flags counts for a package.
func TestWhatRunsMuchIsOptimisedAndNothingElse(t *testing.T) {
	source := newModule(t)
	flags, err := arguments([]byte("require k8s.io/kubernetes v1.37.2\n"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := goCommand(t.Context(), source, append(flags, "-a", "-n", "./cmd/hello")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	isOptimised := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if _, rest, found := strings.Cut(line, "/compile -o "); found {
			_, rest, _ = strings.Cut(rest, " -p ")
			name, _, _ := strings.Cut(rest, " ")
			isOptimised[name] = !strings.Contains(line, " -N -l ")
		}
	}
	if !isOptimised["internal/bytealg"] || isOptimised["main"] {
		t.Errorf("optimised are %v", isOptimised)
	}
}

func TestTheCallersEnvironmentDoesNotChangeTheBuild(t *testing.T) {
	for _, name := range []string{"GOFLAGS", "GOOS", "GOARCH", "GOWORK", "CGO_ENABLED"} {
		t.Setenv(name, "from the caller")
	}
	t.Setenv("GOPROXY", "kept")
	env := strings.Join(environment(), "\n")
	if strings.Contains(env, "from the caller") {
		t.Errorf("something is left:\n%s", env)
	}
	if !strings.Contains(env, "GOPROXY=kept") {
		t.Error("GOPROXY is lost")
	}
}

func TestProgressCountsAndKeepsOnlyMessages(t *testing.T) {
	p := &progress{}
	for _, piece := range []string{
		"go: downloading k8s.io/api v0.37.2\ngo: down", "loading k8s.io/client-go v0.37.2\n",
		"internal/cpu\nk8s.io/api/core/v1\n", "# example.com/m\n./main.go:3:15: undefined: nonsense\n",
		"no end of line",
	} {
		if _, err := io.WriteString(p, piece); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("2 modules fetched, 2 packages compiled", p.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("# example.com/m\n./main.go:3:15: undefined: nonsense\nno end of line",
		p.errors()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsMissingIsNamedWithTheWayToGetIt(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "etcd"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Missing(bin, "etcd"); err != nil {
		t.Error(err)
	}
	want := bin + " lacks kubectl, helm: run `localkube build --bin " + bin + " all` first"
	if diff := cmp.Diff(want, Missing(bin, "etcd", "kubectl", "helm").Error()); diff != "" {
		t.Error(diff)
	}
}
