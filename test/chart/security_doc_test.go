// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

const securityPage = "../../docs/security.md"

// tables are those of the page that list rights, as verbs by resource and group.
func tables(t *testing.T) (found []rights) {
	t.Helper()
	page, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	isTable := false
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		switch {
		case strings.HasPrefix(line, "| API group |"):
			found, isTable = append(found, rights{}), true
		case !strings.HasPrefix(line, "|"):
			isTable = false
		case isTable && !strings.HasPrefix(line, "|-"):
			group, resource := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
			if group == "core" {
				group = ""
			}
			found[len(found)-1][strings.TrimSuffix(resource+"."+group, ".")] = strings.ReplaceAll(
				strings.TrimSpace(cells[3]), " ", "")
		}
	}
	if len(found) != 2 {
		t.Fatalf("the page has %d tables of rights", len(found))
	}
	return found
}

func granted(rules []rbacv1.PolicyRule) rights {
	sum := rights{}
	for _, rule := range rules {
		verbs := slices.Sorted(slices.Values(rule.Verbs))
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				sum[strings.TrimSuffix(resource+"."+group, ".")] = strings.Join(verbs, ",")
			}
		}
	}
	return sum
}

func TestThePageOnSecurityExplainsEveryRightOfTheController(t *testing.T) {
	text, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		t.Fatal(err)
	}
	of, listed := granted(role.Rules), tables(t)
	if diff := cmp.Diff(of, listed[0]); diff != "" {
		t.Errorf("the ClusterRole is not what the page says (-role +page):\n%s", diff)
	}
	beside := rights{}
	for _, object := range rendered(t, "rel", "solvers.dnsEndpoint=true", "solvers.ingress=true",
		"solvers.gatewayHTTPRoute=true",
		"webhookSolvers[0].groupName=acme.example.com", "webhookSolvers[0].solverNames[0]=my-dns") {
		for right, verbs := range granted(rulesOf(t, object)) {
			if of[right] != verbs {
				beside[right] = verbs
			}
		}
	}
	if diff := cmp.Diff(beside, listed[1]); diff != "" {
		t.Errorf("what the chart grants beside it is not what the page says (-chart +page):\n%s", diff)
	}
}

// rulesOf are those of a role of the controller, and of nobody else's.
func rulesOf(t *testing.T, object *unstructured.Unstructured) []rbacv1.PolicyRule {
	t.Helper()
	isRole := object.GetKind() == "ClusterRole" || object.GetKind() == "Role"
	isOthers := slices.ContainsFunc([]string{"-view", "-edit", "-approve"},
		func(suffix string) bool { return strings.HasSuffix(object.GetName(), suffix) })
	if !isRole || isOthers {
		return nil
	}
	var role rbacv1.ClusterRole
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}
