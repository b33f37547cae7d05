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

// paragraph is where a row of a table, an item of a list or another paragraph begins.
var paragraph = regexp.MustCompile(`\n(?:\n+|\s*(?:\||-|[0-9]+\.) ?)`)

// TestWhatIsSaidOfWhereToPutAChangeIsThere looks for each file, folder and target of make that CONTRIBUTING.md tells
// people to touch or to run, and for each other name in the files that the same paragraph names.
func TestWhatIsSaidOfWhereToPutAChangeIsThere(t *testing.T) {
	files, n := tree(t), 0
	makefile := read(t, "Makefile")
	for _, text := range paragraph.Split(whereToPut(t), -1) {
		named, names := map[string]string{}, []string{}
		for _, match := range span.FindAllStringSubmatch(text, -1) {
			words := strings.Fields(match[1])
			switch {
			case words[0] == "make":
				for _, target := range words[1:] {
					if !strings.Contains(makefile, "\n"+target+":") {
						t.Errorf("there is no `make %s`", target)
					}
				}
			case strings.ContainsAny(words[0], "./") || words[0] == "docs":
				n++
				if named[words[0]] = within(t, files, words[0]); named[words[0]] == "" {
					t.Errorf("there is no file or folder %q: %s", words[0], text)
				}
			case words[0] == "go": // test ./folder -flag
				tested := within(t, files, strings.TrimPrefix(words[2], "./"))
				if !strings.Contains(tested, `flag.Bool("`+strings.TrimPrefix(words[3], "-")+`"`) {
					t.Errorf("`%s`: there is no such flag", match[1])
				}
			default:
				names = append(names, match[1])
			}
		}
		for _, name := range names {
			if !isNamed(named, name) {
				t.Errorf("%q is in none of the files that are named with it: %s", name, text)
			}
		}
	}
	if n < 80 {
		t.Errorf("%d files and folders are named: they are written in another way than they are looked for", n)
	}
}

// TestEveryRowOfWhereToPutAChangeNamesATest holds what the table promises.
func TestEveryRowOfWhereToPutAChangeNamesATest(t *testing.T) {
	n := 0
	for line := range strings.Lines(whereToPut(t)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasSuffix(strings.TrimSpace(cells[1]), "?") {
			continue
		}
		n++
		if !namedTest.MatchString(cells[3]) {
			t.Errorf("no test is named for%s", cells[1])
		}
	}
	if n != 10 {
		t.Errorf("the table has %d rows, and is of the ten likeliest changes", n)
	}
}

// whereToPut is that section of CONTRIBUTING.md.
func whereToPut(t *testing.T) string {
	t.Helper()
	_, section, _ := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## Where do I put …\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if section == "" {
		t.Fatal("CONTRIBUTING.md does not say where to put what")
	}
	return section
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// within is the text of a file, or of the files of a folder, and empty for what there is not.
func within(t *testing.T, files map[string]bool, name string) string {
	t.Helper()
	if files[name] {
		return read(t, name)
	}
	var all strings.Builder
	for file := range files {
		switch {
		case filepath.ToSlash(filepath.Dir(file)) == name:
			all.WriteString(read(t, file))
		case strings.HasPrefix(file, name+"/"):
			all.WriteString("\n") // it is a folder of folders
		}
	}
	return all.String()
}

// isNamed says that one of the texts has a name as a word.
func isNamed(texts map[string]string, name string) bool {
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`)
	for _, text := range texts {
		if word.MatchString(text) {
			return true
		}
	}
	return false
}
