// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// foreign are names that pages tell of others: of Alibaba Cloud, of cert-manager, of tools.
var foreign = map[string]string{
	"--policy=upsert-only": "a flag of ExternalDNS",
	"--source=crd --managed-record-types=A --managed-record-types=CNAME --managed-record-types=TXT": "flags of " +
		"ExternalDNS",
	"InterNamespaceAllowed":             "a value of the router of OpenShift",
	"routeAdmission.namespaceOwnership": "a field of the router of OpenShift",
	"allowedRoutes":                     "a field of Gateways",
	"ExternalDNS":                       "a project",
	"GitOps":                            "a way to work",
	"MutatingAdmissionPolicies":         "a kind of Kubernetes",
	"ValidatingAdmissionPolicyBindings": "a kind of Kubernetes",
	"ServiceAccount":                    "a kind of Kubernetes",
	"configMap":                         "a field of Pods",
	"mountPath":                         "a field of Pods",
	"readOnly":                          "a field of Pods",
	"secretKeyRef":                      "a field of Pods",
	"valueFrom":                         "a field of Pods",
	"resolv.conf":                       "a file",
	"appVersion":                        "a field of charts",
	"solverNames":                       "a field of an item of webhookSolvers, which is a list",
}

var (
	// camelCase is a reason, a condition, a kind, or a value of an enum.
	camelCase = regexp.MustCompile(`^[A-Z][a-z0-9]+([A-Z][A-Za-z0-9]*)+$`)
	// field is the name of a field, and path a way to one.
	field = regexp.MustCompile(`^[a-z][a-z0-9]*([A-Z][A-Za-z0-9]*)+$`)
	path  = regexp.MustCompile(`^[a-z][A-Za-z0-9]*(\[\])?(\.[a-z][A-Za-z0-9]*(\[\])?)+$`)
	// pair is a field with its value.
	pair = regexp.MustCompile(`^([a-z][A-Za-z0-9.]*): ?([A-Za-z0-9]+)$`)
	// notAPath ends what is a file or a host.
	notAPath = regexp.MustCompile(`\.(md|go|mod|yaml|com|cn|io|dev)$`)
	flagName = regexp.MustCompile(`^--([a-z][a-z-]*)`)
	metric   = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)
)

// TestEveryNameInThePagesIsOneThatThereIs looks for each reason, field, value, flag and state that a page names.
func TestEveryNameInThePagesIsOneThatThereIs(t *testing.T) {
	names := readNames(t)
	used := map[string]bool{}
	for _, page := range written(t) {
		for _, word := range spans(t, page) {
			if why, isForeign := foreign[word]; isForeign && why != "" {
				used[word] = true
				continue
			}
			if what := names.missing(word); what != "" {
				t.Errorf("%s names %q, and there is no such %s", page, word, what)
			}
		}
	}
	for word := range foreign {
		if !used[word] {
			t.Errorf("no page names %q any more, or there is no reason why it may", word)
		}
	}
}

// TestEveryChartValueThatAPageSetsIsOneThatThereIs reads the commands.
func TestEveryChartValueThatAPageSetsIsOneThatThereIs(t *testing.T) {
	values := chartValues(t)
	set := regexp.MustCompile(`--set(?:-string)? '?([A-Za-z][A-Za-z0-9.\[\]]*)`)
	n := 0
	for _, page := range pages(t) {
		if filepath.Ext(page) != ".md" {
			continue
		}
		for _, block := range Blocks(t, filepath.Join(root, page)) {
			if !strings.Contains(block.Text, "charts/aliyun-issuer") {
				continue
			}
			for _, match := range set.FindAllStringSubmatch(block.Text, -1) {
				n++
				if !hasValue(values, match[1]) {
					t.Errorf("%s sets %s, which the chart does not have", page, match[1])
				}
			}
		}
	}
	if n == 0 {
		t.Error("no page sets a value")
	}
}

// hasValue takes a path up to where values are free: a list, or a map that is empty by default.
func hasValue(values map[string]any, path string) bool {
	for {
		path, _, _ = strings.Cut(path, "[")
		if _, isThere := values[path]; isThere {
			return true
		}
		at := strings.LastIndex(path, ".")
		if at < 0 {
			return false
		}
		path = path[:at]
		if value := values[path]; value != nil {
			members, isMap := value.(map[string]any)
			return isMap && len(members) == 0
		}
	}
}

// names are all that a page may name.
type names struct {
	code         *code
	ours, theirs map[string]map[string]any
	values       map[string]any
	words        map[string]bool // of enums
}

func readNames(t *testing.T) *names {
	t.Helper()
	n := &names{code: readCode(t), values: chartValues(t), words: map[string]bool{}}
	n.ours, n.theirs = schemas(t)
	for _, field := range n.ours {
		enum, _ := field["enum"].([]any)
		for _, value := range enum {
			if word, isWord := value.(string); isWord {
				n.words[word] = true
			}
		}
	}
	return n
}

// missing says what a word would be that there is not, or nothing if it is there, or no name.
func (n *names) missing(word string) string {
	switch parts := pair.FindStringSubmatch(word); {
	case flagName.MatchString(word):
		if name := flagName.FindStringSubmatch(word)[1]; !n.code.flags[name] && !strings.HasPrefix(name, "zap-") {
			return "flag"
		}
	case parts != nil:
		if what := n.missing(parts[1]); what != "" {
			return what
		}
		return n.missing(parts[2])
	case camelCase.MatchString(word):
		if one := strings.TrimSuffix(word, "s"); !n.code.words[word] && !n.words[word] && !n.code.words[one] {
			return "reason, kind or value"
		}
	case metric.MatchString(word):
		if !n.code.words[word] {
			return "word of the product"
		}
	case notAPath.MatchString(word):
	case field.MatchString(word), path.MatchString(word):
		if !n.hasField(strings.ReplaceAll(word, "[]", "")) {
			return "field or chart value"
		}
	}
	return ""
}

// hasField says that a path is the end of one in a kind, or the path of a value. One that begins with spec or status is
// whole.
func (n *names) hasField(path string) bool {
	if _, isValue := n.values[path]; isValue {
		return true
	}
	for _, kind := range []map[string]map[string]any{n.ours, n.theirs} {
		if _, isThere := kind[path]; isThere {
			return true
		}
		if strings.HasPrefix(path, "spec.") || strings.HasPrefix(path, "status.") {
			continue
		}
		for known := range kind {
			if strings.HasSuffix(known, "."+path) {
				return true
			}
		}
	}
	return false
}

// TestEveryLinkOfThePagesLeadsSomewhere follows those to files and their headings.
func TestEveryLinkOfThePagesLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	all := pages(t)
	for _, more := range []string{"CONTRIBUTING.md", "CHANGELOG.md", "config/README.md", "docs/design/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, more))
		if err != nil || len(files) == 0 {
			t.Fatalf("there is no %s: %v", more, err)
		}
		for _, file := range files {
			relative, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, relative)
		}
	}
	for _, page := range all {
		for _, match := range link.FindAllStringSubmatch(prose(t, page), -1) {
			target, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := filepath.Join(root, filepath.Dir(page), target)
			if target == "" {
				file = filepath.Join(root, page)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			} else if heading != "" && !anchors(t, file)[heading] {
				t.Errorf("%s links to %s, which has no such heading", page, match[1])
			}
		}
	}
}

// anchors are those that GitHub gives to the headings of a page.
func anchors(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, isCode := map[string]bool{}, false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			isCode = !isCode
		}
		if heading := strings.TrimLeft(line, "#"); !isCode && heading != line && strings.HasPrefix(heading, " ") {
			all[anchor(heading)] = true
		}
	}
	return all
}

// dropped is what an anchor leaves out of its heading.
var dropped = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)

// anchor is that of a heading, without its "#".
func anchor(heading string) string {
	return strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-")
}
