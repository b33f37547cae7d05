// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const solversPage = "../../docs/solvers.md"

// members are the names that a union has in JSON, as headings of the page spell them.
func members(prefix string, union any) (names []string) {
	for field := range reflect.TypeOf(union).Fields() {
		if field.Type.Kind() == reflect.Pointer {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			names = append(names, prefix+"."+name)
		}
	}
	return names
}

// TestTheExamplesOfThePageOnSolversCanBeApplied runs its kubectl commands as they are written.
func TestTheExamplesOfThePageOnSolversCanBeApplied(t *testing.T) {
	kube, namespace := cluster(t)
	issuer := gen.Issuer(namespace, "http://127.0.0.1")
	if err := kube.Create(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	run := shell(t, namespace)
	applied := map[string]v1alpha1.Solver{}
	for _, block := range docs.Blocks(t, solversPage) {
		switch {
		case block.Language == "json" && !json.Valid([]byte(block.Text)):
			t.Errorf("%s: this is not JSON:\n%s", block.Heading, block.Text)
		case block.Language != "sh":
			continue
		case strings.HasPrefix(block.Text, "helm upgrade"):
			// What the flags are for is told by the templates, and wrong ones are refused by the chart's schema.
			run(t, "helm template --namespace aliyun-issuer-system "+
				strings.NewReplacer("helm upgrade", "", "--reuse-values", "").Replace(block.Text))
		default:
			run(t, block.Text)
			if err := kube.Get(t.Context(), client.ObjectKeyFromObject(issuer), issuer); err != nil {
				t.Fatal(err)
			}
			applied[block.Heading] = issuer.Spec.Solvers[0]
		}
	}
	for _, name := range append(members("dns", v1alpha1.DNSSolver{}), members("file", v1alpha1.FileSolver{})...) {
		solver, hasExample := applied[name]
		if !hasExample {
			t.Errorf("the page has no example for %s", name)
			continue
		}
		if raw, err := json.Marshal(solver); err != nil ||
			!strings.Contains(string(raw), `"`+strings.Replace(name, ".", `":{"`, 1)+`":`) {
			t.Errorf("the example under %s is for another solver: %s, %v", name, raw, err)
		}
	}
	if applied["CNAME delegation"].DNS.CNAMEStrategy != v1alpha1.CNAMEFollow {
		t.Error("the example for delegation does not follow CNAMEs")
	}
}

// shell runs commands in the root of the repository, with the namespace as kubectl's own.
func shell(t *testing.T, namespace string) func(*testing.T, string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	variables := docs.Environment(root, env.Kubeconfig(t), t.TempDir())
	run := func(t *testing.T, commands string) {
		t.Helper()
		cmd := exec.Command("sh", "-euc", commands)
		cmd.Dir, cmd.Env = root, variables
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v ('make test' builds what it needs):\n%s\n%s", err, commands, out)
		}
	}
	run(t, "kubectl config set-context --current --namespace="+namespace)
	return run
}

var (
	message = regexp.MustCompile("(?m)^\\|(?: `[A-Za-z]+` \\|)? `([^`]+)` \\|")
	joined  = regexp.MustCompile(`"\s*\+\s*"`)
	comment = regexp.MustCompile(`(?m)^\s*//.*$`)
)

// TestTheMessagesOfThePageOnSolversAreThoseOfTheController compares the texts between the ellipses.
func TestTheMessagesOfThePageOnSolversAreThoseOfTheController(t *testing.T) {
	var source strings.Builder
	for _, folder := range []string{"../../internal",
		"../../controllers"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			source.WriteString(comment.ReplaceAllString(string(text), ""))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	code := strings.ReplaceAll(joined.ReplaceAllString(source.String(), ""), `\"`, `"`)
	page, err := os.ReadFile(solversPage)
	if err != nil {
		t.Fatal(err)
	}
	rows := message.FindAllStringSubmatch(string(page), -1)
	if len(rows) < 30 {
		t.Errorf("the page has %d messages", len(rows))
	}
	for _, match := range rows {
		for part := range strings.SplitSeq(match[1], "…") {
			if part = strings.Trim(part, " :"); !strings.Contains(code, part) {
				t.Errorf("no message says %q, of %q", part, match[1])
			}
		}
	}
}
