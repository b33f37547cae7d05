// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imperative matches what may tell somebody to do something: the verbs with which messages begin to.
var imperative = regexp.MustCompile(
	`(?i)\b(add|allow|annotate|ask|bring|buy|cancel|check|choose|configure|correct|create|delegate|delete|enable|give|grant|install|leave|let|look (?:at|in|for)|make|name an?|publish|put|register|remove|set|settle|switch|use|wait until|write)\b`)

// TestEveryMessageThatAdvisesSomethingIsFollowed reads the messages in the code. One that is in a golden file of
// test/life is followed there; of any other one the tables say which test follows it, or why none does.
func TestEveryMessageThatAdvisesSomethingIsFollowed(t *testing.T) {
	told := goldenFiles(t)
	tests := testNames(t)
	used := map[string]bool{}
	for _, message := range advising(t) {
		if isIn(told, message) {
			continue
		}
		by, isFollowed := entry(followed, message, used)
		_, isNot := entry(notFollowed, message, used)
		switch {
		case isFollowed == isNot:
			t.Errorf("%q must be in one of the tables: of the tests that follow it, or of what nobody follows, "+
				"with the reason", message)
		case isFollowed && !tests[by]:
			t.Errorf("%q is followed by %s, which does not exist", message, by)
		}
	}
	for _, table := range []map[string]string{followed, notFollowed} {
		for part := range table {
			if !used[part] {
				t.Errorf("no message that has to be in a table says %q", part)
			}
		}
	}
}

// entry is what a table says of a message, by a part of the message.
func entry(table map[string]string, message string, used map[string]bool) (string, bool) {
	for part, value := range table {
		if strings.Contains(message, part) {
			used[part] = true
			return value, true
		}
	}
	return "", false
}

// advising are the texts in the code that may tell somebody to do something. Of a text and its parts only the whole
// counts.
func advising(t *testing.T) (all []string) {
	t.Helper()
	var words []string
	for word := range readCodeIn(t, append(rooms(t), "controllers")...).words {
		if len(strings.Fields(word)) >= 4 {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	for _, word := range words {
		isPart := func(other string) bool { return len(other) > len(word) && strings.Contains(other, word) }
		if imperative.MatchString(word) && !slices.ContainsFunc(words, isPart) {
			all = append(all, word)
		}
	}
	return all
}

// isIn says that a text has a message with some values.
func isIn(text, message string) bool {
	var parts []string
	for part := range strings.SplitSeq(verb.ReplaceAllString(message, "…"), "…") {
		if !strings.Contains(text, part) { // much faster than the expression
			return false
		}
		parts = append(parts, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile(strings.Join(parts, `(?s:.{0,200}?)`)).MatchString(text)
}

func goldenFiles(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "test/life/testdata/*.golden"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// testNames are the tests of the repository, as folder.TestName.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, pattern := range []string{"controllers/*_test.go", "internal/*/*_test.go", "internal/*/*/*_test.go",
		"test/*/*_test.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			folder, _ := filepath.Rel(root, filepath.Dir(file))
			for _, match := range testName.FindAllStringSubmatch(string(text), -1) {
				all[folder+"."+match[1]] = true
			}
		}
	}
	return all
}

// rooms are the folders below internal whose words reach users, which those of the simulator do not.
func rooms(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, "internal"))
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, entry := range entries {
		if entry.Name() != "cassim" {
			folders = append(folders, "internal/"+entry.Name())
		}
	}
	return folders
}
