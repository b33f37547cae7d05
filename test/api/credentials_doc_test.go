// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
)

const (
	credentialsPage = "../../docs/credentials.md"
	securityPage    = "../../docs/security.md"
)

// rendering makes helm show what a command would install.
var rendering = strings.NewReplacer("helm upgrade", "helm template", "helm install", "helm template", "--reuse-values",
	"", "--create-namespace", "")

// TestTheExamplesOfThePagesOnCredentialsAndSecurityCanBeApplied puts each into an issuer that is good but for it, and
// runs the commands as they are written, with the namespaces of the test.
func TestTheExamplesOfThePagesOnCredentialsAndSecurityCanBeApplied(t *testing.T) {
	kube, namespace := cluster(t)
	run := shell(t, namespace)
	here := strings.NewReplacer("team-a", namespace, "aliyun-issuer-system", namespace)
	examples := map[string]string{}
	for _, block := range slices.Concat(docs.Blocks(t, credentialsPage), docs.Blocks(t, securityPage)) {
		switch block.Language {
		case "json":
			if !json.Valid([]byte(block.Text)) {
				t.Errorf("%s: this is not JSON:\n%s", block.Heading, block.Text)
			}
		case "sh":
			if strings.HasPrefix(block.Text, "helm ") {
				run(t, rendering.Replace(block.Text))
			} else {
				run(t, here.Replace(block.Text))
			}
		case "yaml":
			subject, _, _ := strings.Cut(block.Heading, " ")
			examples[subject] += block.Text
			object := issuerWith(t, block.Text, namespace)
			if err := kube.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict")); err != nil {
				t.Errorf("%s: %v\n%s", block.Heading, err, block.Text)
			}
		}
	}
	for _, name := range members("credentials", v1alpha1.Credentials{}) {
		if _, name, _ = strings.Cut(name, "."); !strings.Contains(examples[name], "    "+name+":") {
			t.Errorf("no section about %s has an example for it", name)
		}
	}
}

// issuerWith is an issuer of the kind that a fragment names, with the fragment's part of the spec.
func issuerWith(t *testing.T, fragment, namespace string) *unstructured.Unstructured {
	t.Helper()
	var part struct {
		Kind string         `json:"kind"`
		Spec map[string]any `json:"spec"`
	}
	if err := yaml.UnmarshalStrict([]byte(fragment), &part); err != nil {
		t.Fatalf("%v\n%s", err, fragment)
	}
	object := good(t, part.Kind, namespace)
	maps.Copy(object.Object["spec"].(map[string]any), part.Spec)
	return object
}

var reasonRow = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)`[ *]*\\|")

// TestEveryReasonOfAnIssuerIsExplained reads the reasons from the file that declares them.
func TestEveryReasonOfAnIssuerIsExplained(t *testing.T) {
	page, err := os.ReadFile(credentialsPage)
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, row := range reasonRow.FindAllStringSubmatch(string(page), -1) {
		explained[row[1]] = true
	}
	reasons := issuerReasons(t)
	if len(reasons) < 20 {
		t.Errorf("only %d reasons were found", len(reasons))
	}
	for _, reason := range reasons {
		if !explained[reason] {
			t.Errorf("the page does not explain the reason %s", reason)
		}
	}
}

// issuerReasons are the values of the constants that are declared as reasons of issuers.
func issuerReasons(t *testing.T) (reasons []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, declared := range file.Decls {
		group, isGroup := declared.(*ast.GenDecl)
		if !isGroup || !strings.HasPrefix(group.Doc.Text(), "Reasons of issuer conditions") {
			continue
		}
		for _, spec := range group.Specs {
			value, err := strconv.Unquote(spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			reasons = append(reasons, value)
		}
	}
	return reasons
}
