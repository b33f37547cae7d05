// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// citation names sections of a page under docs/design: "docs/design/cas.md §2.3 and §3.9".
	citation = regexp.MustCompile(`docs/design/([a-z0-9-]+\.md)((?:(?:,| and|, and)? §[0-9]+(?:\.[0-9]+)*)+)`)
	// label is that of a link to a section: "[cas.md §3.6](cas.md#36-listusercertificateorder)", or "[§9](#9-limits)".
	label = regexp.MustCompile(`\[(?:[a-z0-9-]+\.md )?§([0-9.]+)\]\(([a-z0-9-]+\.md)?#([^)\s]+)\)`)
	// elsewhere is what has sections, too: standards, and what CAs publish.
	elsewhere = regexp.MustCompile(`(?:RFC [0-9]+|CA/Browser Forum BR|CP/CPS lists in) §[0-9.]+`)
	// numbered is a heading with a number: "### 3.6 ListUserCertificateOrder".
	numbered = regexp.MustCompile(`(?m)^#+ (([0-9]+(?:\.[0-9]+)*)\.? .+)$`)
	section  = regexp.MustCompile(`§[0-9]+(?:\.[0-9]+)*`)
	// wrapped is where a comment or a paragraph goes on in the next line.
	wrapped = regexp.MustCompile(`\n\s*(?://|#)?\s*`)
)

// TestEveryCitedSectionIsThere follows the citations of comments and pages to the headings of docs/design.
func TestEveryCitedSectionIsThere(t *testing.T) {
	sections, n := designSections(t), 0
	for file, text := range texts(t) {
		for _, match := range citation.FindAllStringSubmatch(text, -1) {
			for _, number := range section.FindAllString(match[2], -1) {
				n++
				if _, isThere := sections[match[1]][strings.TrimPrefix(number, "§")]; !isThere {
					t.Errorf("%s cites docs/design/%s %s, which is not there", file, match[1], number)
				}
			}
		}
		for _, match := range label.FindAllStringSubmatch(text, -1) {
			n++
			page := match[2]
			if page == "" {
				page = filepath.Base(file)
			}
			if want := sections[page][match[1]]; match[3] != want {
				t.Errorf("%s says §%s of %s and links to #%s, not to #%s", file, match[1], page, match[3], want)
			}
		}
	}
	if n < 100 {
		t.Errorf("%d sections are cited: citations are written in another way than they are looked for", n)
	}
}

// TestNoSectionIsCitedOfAnUnnamedPage looks for a "§" that belongs to no page and to no standard.
func TestNoSectionIsCitedOfAnUnnamedPage(t *testing.T) {
	for file, text := range texts(t) {
		rest := text
		for _, known := range []*regexp.Regexp{citation, label, elsewhere} {
			rest = known.ReplaceAllString(rest, "")
		}
		for _, number := range section.FindAllString(rest, -1) {
			t.Errorf("%s cites %s, and not of what", file, number)
		}
		if strings.Contains(text, "CAS"+" contract") {
			t.Errorf("%s cites a contract, which is not in the repository", file)
		}
	}
}

// TestTheFieldsOfTheAPICiteNoPageOfOurs holds what kubectl explain shows: readers of that have no repository at hand.
func TestTheFieldsOfTheAPICiteNoPageOfOurs(t *testing.T) {
	n := 0
	for file, text := range texts(t) {
		if strings.HasPrefix(file, "api/") || strings.HasPrefix(file, "config/crd/") {
			n++
			if strings.Contains(text, "docs/design") || strings.Contains(text, "§") {
				t.Errorf("%s cites a section: name the page of Alibaba Cloud, or nothing", file)
			}
		}
	}
	if n == 0 {
		t.Error("there is no API")
	}
}

// texts are the tracked files that cite, in one line each, so that a citation may be wrapped. This file has samples.
func texts(t *testing.T) map[string]string {
	t.Helper()
	list, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "*.go", "*.yaml", "*.md").Output()
	if err != nil {
		t.Fatalf("the files of the repository cannot be listed: %v", err)
	}
	all := map[string]string{}
	for file := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		if file == "test/docs/citations_test.go" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was removed, and that is not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		all[file] = wrapped.ReplaceAllString(string(text), " ")
	}
	return all
}

// designSections are the anchors of the numbered headings of docs/design, by page and number.
func designSections(t *testing.T) map[string]map[string]string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs/design/*.md"))
	if err != nil || !slices.Contains(pages, filepath.Join(root, "docs/design/cas.md")) {
		t.Fatalf("docs/design has no cas.md: %v", err)
	}
	all := map[string]map[string]string{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		sections := map[string]string{}
		for _, match := range numbered.FindAllStringSubmatch(string(text), -1) {
			heading, number := match[1], match[2]
			if _, isThere := sections[number]; isThere {
				t.Errorf("%s has two sections %s", page, number)
			}
			sections[number] = anchor(heading)
		}
		all[filepath.Base(page)] = sections
	}
	return all
}
