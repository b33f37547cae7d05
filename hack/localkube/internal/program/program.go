// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package program builds what a local Kubernetes consists of, from this module's go.mod, and skips what is
// built already.
package program

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Program is one executable.
type Program struct {
	// Name is its file name in the folder of binaries.
	Name string
	// Package is its import path, or a folder of this module when it begins with "./".
	Package string
}

var all = []Program{
	{"etcd", "go.etcd.io/etcd/server/v3"},
	{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
	{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"},
	{"kubectl", "k8s.io/kubernetes/cmd/kubectl"},
	{"helm", "helm.sh/helm/v4/cmd/helm"},
	{"cm-controller", "./cmd/cm-controller"},
	{"cm-webhook", "./cmd/cm-webhook"},
	{"cm-cainjector", "./cmd/cm-cainjector"},
}

// envtest is how many of all, from the first, controller-runtime's envtest needs.
const envtest = 2

// Select returns what the words name: "envtest" (etcd and kube-apiserver), "all", or single programs.
func Select(words []string) ([]Program, error) {
	wanted := map[string]bool{}
	for _, word := range words {
		switch i := slices.IndexFunc(all, func(p Program) bool { return p.Name == word }); {
		case word == "all":
			return all, nil
		case word == "envtest":
			for _, p := range all[:envtest] {
				wanted[p.Name] = true
			}
		case i >= 0:
			wanted[word] = true
		default:
			var names []string
			for _, p := range all {
				names = append(names, p.Name)
			}
			return nil, fmt.Errorf("cannot build %q: it is none of envtest, all, %s", word, strings.Join(names, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(p Program) bool { return !wanted[p.Name] }), nil
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\s*(?:require )?k8s\.io/kubernetes (v(\d+)\.(\d+)\.\S+)`)

// optimised are the packages in which an API server and etcd spend their time.
var optimised = []string{
	"std", "golang.org/x/...", "google.golang.org/...", "sigs.k8s.io/...", "k8s.io/apimachinery/...",
	"k8s.io/apiserver/...", "k8s.io/apiextensions-apiserver/...", "k8s.io/component-base/...",
	"k8s.io/kube-openapi/...", "k8s.io/utils/...", "github.com/google/cel-go/...", "github.com/prometheus/...",
	"go.etcd.io/...", "go.opentelemetry.io/...", "go.uber.org/...",
}

// arguments are those of `go build`, without the output and the package. They are the same for every program,
// because packages compiled with other flags cannot be shared. Most packages are not optimised: they are large, it
// would take a third more time to build them, and they hardly run.
func arguments(goMod []byte) ([]string, error) {
	match := kubernetesVersion.FindSubmatch(goMod)
	if match == nil {
		return nil, fmt.Errorf("go.mod names no version of k8s.io/kubernetes")
	}
	// Without these the API server would say that it is v0.0.0, and charts that ask for a version be refused.
	const version = "k8s.io/component-base/version."
	ldflags := fmt.Sprintf("-s -w -X %[1]sgitVersion=%[2]s -X %[1]sgitMajor=%[3]s -X %[1]sgitMinor=%[4]s -X "+
		"%[1]sgitTreeState=clean",
		version, match[1], match[2], match[3])
	arguments := []string{"build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-gcflags=all=-N -l"}
	for _, packages := range optimised { // the last flag for a package is the one that counts
		arguments = append(arguments, "-gcflags="+packages+"=")
	}
	return append(arguments, "-ldflags", ldflags), nil
}

// environment is that of `go build`: what the caller's would change in the result is taken out of it.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"GOFLAGS", "GOOS", "GOARCH", "GOWORK", "CGO_ENABLED"}, name)
	})
	return append(env, "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
}

// Missing returns an error that names the programs which are not in the folder.
func Missing(bin string, names ...string) error {
	var missing []string
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("%s lacks %s: run `localkube build --bin %s all` first", bin, strings.Join(missing, ", "), bin)
}
