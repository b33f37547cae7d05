// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package docs reads pages of the documentation, for tests that do what they say, and the code that they speak of.
package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Block is code of a page.
type Block struct {
	// Heading is the one that it stands under.
	Heading string
	// Language is what the fence names, such as sh.
	Language string
	Text     string
}

// Blocks are those of a page, in their order.
func Blocks(t *testing.T, page string) []Block {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []Block
	heading, isCode := "", false
	for line := range strings.Lines(string(text)) {
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(trimmed, "```"):
			isCode = !isCode
			if isCode {
				blocks = append(blocks, Block{Heading: heading, Language: strings.TrimPrefix(trimmed, "```")})
			}
		case isCode:
			blocks[len(blocks)-1].Text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimLeft(trimmed, "# ")
		}
	}
	return blocks
}

// Code is the text of a package, without its tests.
func Code(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no files: %v", folder, err)
	}
	var all strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// Environment is that of a reader who has the tools of `make test` and this cluster. Nothing is read from the home of
// who runs the tests, or left there: cache is a folder for it.
func Environment(root, kubeconfig, cache string) []string {
	return append(os.Environ(), "KUBECONFIG="+kubeconfig, "KUBECACHEDIR="+cache, "KUBERC=off",
		"HELM_CACHE_HOME="+cache, "HELM_CONFIG_HOME="+cache, "HELM_DATA_HOME="+cache,
		"PATH="+filepath.Join(root, "bin/k8s")+string(os.PathListSeparator)+os.Getenv("PATH"))
}
