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

// values is the file of the chart whose comments are its documentation.
const values = "charts/aliyun-issuer/values.yaml"

// pages are those that users read.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md", "README.zh-CN.md"}
	files, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		all = append(all, "docs/"+filepath.Base(file))
	}
	return append(all, values)
}

// written are the pages that somebody writes: docs/conformance.md is what test/certmanager has observed, and names what
// cert-manager has.
func written(t *testing.T) []string {
	return slices.DeleteFunc(pages(t), func(page string) bool { return page == "docs/conformance.md" })
}

// prose is the text of a page without its code, or the comments of a YAML file, in one line.
func prose(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	isCode := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(line, "#")
		switch {
		case filepath.Ext(page) == ".yaml" && isComment:
			out = append(out, strings.TrimSpace(comment))
		case filepath.Ext(page) == ".yaml":
		case strings.HasPrefix(line, "```"):
			isCode = !isCode
		case !isCode:
			out = append(out, line)
		}
	}
	return strings.Join(out, " ")
}

// span is what a page sets as code.
var span = regexp.MustCompile("`([^`]+)`")

// spans are those of a page, or the words of a YAML file, each once.
func spans(t *testing.T, page string) []string {
	t.Helper()
	found, all := map[string]bool{}, []string{}
	add := func(s string) {
		if !found[s] {
			found[s], all = true, append(all, s)
		}
	}
	text := prose(t, page)
	if filepath.Ext(page) == ".yaml" {
		for word := range strings.FieldsFuncSeq(
			text, func(r rune) bool { return strings.ContainsRune(" ,;:()[]{}\"", r) }) {
			add(strings.TrimRight(word, "."))
		}
		return all
	}
	for _, match := range span.FindAllStringSubmatch(text, -1) {
		add(match[1])
	}
	return all
}
