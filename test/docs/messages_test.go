// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// verb is where a message has a value.
var verb = regexp.MustCompile(`%(?:\[\d\])?[a-z]`)

// TestEveryMessageThatAPageQuotesIsOneOfTheProduct reads the tables that have a column of them. What a page leaves out
// of one is "…".
func TestEveryMessageThatAPageQuotesIsOneOfTheProduct(t *testing.T) {
	code := readCode(t)
	var told strings.Builder
	for word := range code.words {
		told.WriteString(verb.ReplaceAllString(word, "…") + "\n")
	}
	quoted := 0
	for _, page := range pages(t) {
		for _, message := range column(t, page, "Message") {
			quoted++
			for part := range strings.SplitSeq(message, "…") {
				if part = strings.Trim(part, " `\",:()"); len(part) > 3 && !strings.Contains(told.String(), part) {
					t.Errorf("%s quotes %q, and no message says %q", page, message, part)
				}
			}
		}
	}
	if quoted < 50 {
		t.Errorf("%d messages are quoted", quoted)
	}
}

// TestEveryReasonThatAPageExplainsIsOneOfTheAPI reads the tables that have a column of them.
func TestEveryReasonThatAPageExplainsIsOneOfTheAPI(t *testing.T) {
	reasons := map[string]bool{}
	for name, value := range readCode(t).constants {
		if literal, isLiteral := value.(*ast.BasicLit); isLiteral && strings.HasPrefix(name, "api/v1alpha1.Reason") {
			reasons[strings.Trim(literal.Value, `"`)] = true
		}
	}
	explained := 0
	for _, page := range pages(t) {
		for _, reason := range append(column(t, page, "Reason"), column(t, page, "Reason of a held order")...) {
			if explained++; !reasons[reason] {
				t.Errorf("%s explains %q, and the API has no such reason", page, reason)
			}
		}
	}
	if explained < 20 {
		t.Errorf("%d reasons are explained", explained)
	}
}

// column are the spans in the columns of a page that have a heading.
func column(t *testing.T, page, heading string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			at = -1
		case at < 0:
			for i, cell := range cells {
				if strings.TrimSpace(cell) == heading {
					at = i
				}
			}
		case at < len(cells):
			for _, match := range span.FindAllStringSubmatch(cells[at], -1) {
				all = append(all, match[1])
			}
		}
	}
	return all
}
