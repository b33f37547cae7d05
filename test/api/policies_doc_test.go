// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
)

// policy is a RAM policy.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect           string
	Action, Resource any
}

// policies are those that a page has, by their heading.
func policies(t *testing.T, page string) map[string]policy {
	t.Helper()
	found := map[string]policy{}
	for _, block := range docs.Blocks(t, page) {
		if block.Language != "json" {
			continue
		}
		var p policy
		if err := json.Unmarshal([]byte(block.Text), &p); err != nil {
			t.Fatalf("%s: %v", block.Heading, err)
		}
		found[block.Heading] = p
	}
	return found
}

var apiCall = regexp.MustCompile(`:?= sdk(?:cas)?\.Create(\w+)Request\(\)`)

// called are the actions that the files of a package call.
func called(t *testing.T, folder, prefix string) []any {
	t.Helper()
	var names []string
	for _, name := range found(t, folder, apiCall) {
		names = append(names, prefix+name)
	}
	return sorted(names)
}

// found is what the files of a package have where a pattern has its group.
func found(t *testing.T, folder string, pattern *regexp.Regexp) (names []string) {
	t.Helper()
	for _, match := range pattern.FindAllStringSubmatch(docs.Code(t, folder), -1) {
		names = append(names, match[1])
	}
	return names
}

// verbOf are the actions of CAS, by the methods of the client of instances.
var verbOf = map[string]string{
	"List": "ListInstances", "Describe": "GetInstanceDetail", "Update": "UpdateInstance", "Apply": "ApplyCertificate",
	"Cancel": "CancelPendingCertificate", "Task": "GetTaskAttribute", "Certificate": "GetUserCertificateDetail",
}

var verbCall = regexp.MustCompile(`\bcalls\.(\w+)\(`)

// verbs are the actions that the files of a package call by that client.
func verbs(t *testing.T, folder string) []any {
	t.Helper()
	var names []string
	for _, method := range found(t, folder, verbCall) {
		if verbOf[method] == "" {
			t.Fatalf("%s calls %s, which is no known action", folder, method)
		}
		names = append(names, "yundun-cert:"+verbOf[method])
	}
	return sorted(names)
}

func sorted(names []string) (actions []any) {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		actions = append(actions, name)
	}
	return actions
}

func actionsOf(t *testing.T, p policy) []any {
	t.Helper()
	var names []string
	for _, s := range p.Statement {
		switch action := s.Action.(type) {
		case string:
			names = append(names, action)
		case []any:
			for _, name := range action {
				names = append(names, name.(string))
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("the page has no such policy")
	}
	return sorted(names)
}

func TestThePoliciesOfTheDocumentationAllowWhatIsCalledAndNoMore(t *testing.T) {
	security := policies(t, "../../docs/security.md")
	ordering, zones := security["Ordering with a plan"], security["Alibaba Cloud DNS, all zones"]
	instances := security["Ordering with instances"]
	for name, c := range map[string]struct{ called, allowed []any }{
		"CAS":                 {called(t, "../../internal/cas", "yundun-cert:"), actionsOf(t, ordering)},
		"CAS, with instances": {verbs(t, "../../internal/source/instance"), actionsOf(t, instances)},
		"DNS":                 {called(t, "../../internal/dcv/alidns", "alidns:"), actionsOf(t, zones)},
		"DNS of named zones": {called(t, "../../internal/dcv/alidns", "alidns:"),
			actionsOf(t, security["Alibaba Cloud DNS, named zones"])},
	} {
		if diff := cmp.Diff(c.called, c.allowed); diff != "" {
			t.Errorf("%s (-called +allowed):\n%s", name, diff)
		}
	}
	both := policy{Version: instances.Version, Statement: slices.Concat(instances.Statement, zones.Statement)}
	for page, want := range map[string]struct {
		heading string
		policy
	}{
		"README.md":       {"The first certificate", both},
		"README.zh-CN.md": {"第一张证书", both},
		"docs/solvers.md": {"dns.alidns", zones},
	} {
		if diff := cmp.Diff(want.policy, policies(t, "../../"+page)[want.heading]); diff != "" {
			t.Errorf("the policy of %s is not that of the page on security (-security +%s):\n%s", page, page, diff)
		}
	}
}
