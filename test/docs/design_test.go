// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const (
	architecture = "docs/design/architecture.md"
	module       = "github.com/aliyun-issuer/aliyun-issuer"
)

// toCome are the rooms that notes name before they are there, by the note that says so.
var toCome = map[string]string{}

var (
	// goFile is a file that a note names beside its neighbours, without their folder.
	goFile = regexp.MustCompile(`^[a-z][a-z0-9_]*\.go$`)
	// namedTest is a test, wherever a note names it.
	namedTest = regexp.MustCompile(`\bTest[A-Z]\w*`)
)

// TestEveryFileThatADesignNoteNamesIsThere looks for each path of the repository that is set as code.
func TestEveryFileThatADesignNoteNamesIsThere(t *testing.T) {
	files := tree(t)
	folders, names := map[string]bool{}, map[string]bool{}
	for file := range files {
		names[filepath.Base(file)] = true
		for folder := filepath.Dir(file); folder != "."; folder = filepath.Dir(folder) {
			folders[folder] = true
		}
	}
	n, used := 0, map[string]bool{}
	for _, page := range designPages(t) {
		for _, text := range spans(t, page) {
			for word := range strings.FieldsSeq(text) {
				word = strings.TrimRight(strings.TrimPrefix(word, "./"), "/,.")
				first, _, isPath := strings.Cut(word, "/")
				isPath = isPath && folders[first]
				isThere := files[word] || folders[word] || !isPath && names[word]
				switch note, isPlanned := toCome[word]; {
				case !isPath && !goFile.MatchString(word):
					continue
				case isPlanned && isThere:
					t.Errorf("%s names %q, which is there now: say so, in note %s too, and take it off the list of "+
						"what is to come", page, word, note)
				case !isPlanned && !isThere:
					t.Errorf("%s names %q, and there is no such file or folder", page, word)
				}
				n, used[word] = n+1, true
			}
		}
	}
	for word := range toCome {
		if !used[word] {
			t.Errorf("no note names %q any more", word)
		}
	}
	if n < 50 {
		t.Errorf("notes name %d files and folders: they are written in another way than they are looked for", n)
	}
}

// TestEveryTestThatADesignNoteNamesIsThere looks for each test that is evidence for a decision.
func TestEveryTestThatADesignNoteNamesIsThere(t *testing.T) {
	tests := map[string]bool{}
	for file := range tree(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range testName.FindAllStringSubmatch(string(text), -1) {
			tests[match[1]] = true
		}
	}
	n := 0
	for _, page := range designPages(t) {
		for _, name := range namedTest.FindAllString(prose(t, page), -1) {
			n++
			if !tests[name] {
				t.Errorf("%s names %s, and there is no such test", page, name)
			}
		}
	}
	if n < 30 {
		t.Errorf("notes name %d tests: they are written in another way than they are looked for", n)
	}
}

// TestTheArchitectureNamesEveryNoteRuleAndModule compares the tables of the page with what they are about.
func TestTheArchitectureNamesEveryNoteRuleAndModule(t *testing.T) {
	notes, err := filepath.Glob(filepath.Join(root, "docs/design/0*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, note := range notes {
		notes[i] = strings.SplitN(filepath.Base(note), "-", 2)[0]
	}
	wantSameNames(t, "The notes", firstColumn(t, "The notes", regexp.MustCompile(`\[([0-9]{4})\]`)), notes)
	quoted := regexp.MustCompile("`([^`]+)`")
	wantSameNames(t, "The law of imports", firstColumn(t, "The law of imports", quoted), rules(t))
	wantSameNames(t, "Dependencies", firstColumn(t, "Dependencies", quoted), directModules(t))
}

// TestTheRoomsAreDrawnAsTheyAre compares the picture of who imports whom with the imports.
func TestTheRoomsAreDrawnAsTheyAre(t *testing.T) {
	want := drawnRooms(t)
	for _, block := range Blocks(t, filepath.Join(root, architecture)) {
		if block.Heading == "The rooms" && block.Language == "mermaid" {
			if block.Text != want {
				t.Errorf("%s draws other imports than there are. They are:\n%s", architecture, want)
			}
			return
		}
	}
	t.Errorf("%s has no picture of its rooms. It is:\n%s", architecture, want)
}

// drawnRooms is the picture: folders of the product that import one another, down to their second name.
func drawnRooms(t *testing.T) string {
	t.Helper()
	imports := map[string]map[string]bool{}
	for file := range tree(t) {
		from := room(filepath.Dir(file))
		if file == "main.go" {
			from = file
		}
		if from == "" || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if imports[from] == nil {
			imports[from] = map[string]bool{}
		}
		for _, imported := range parsed.Imports {
			name, err := strconv.Unquote(imported.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			to := room(strings.TrimPrefix(name, module+"/"))
			if strings.HasPrefix(name, module+"/") && to != from {
				imports[from][to] = true
			}
		}
	}
	id := strings.NewReplacer("/", "_", ".", "_")
	lines := []string{"flowchart TD"}
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		lines = append(lines, fmt.Sprintf("    %s[%q]", id.Replace(from), from))
	}
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		for _, to := range slices.Sorted(maps.Keys(imports[from])) {
			lines = append(lines, fmt.Sprintf("    %s --> %s", id.Replace(from), id.Replace(to)))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// room is the folder that a package is drawn as, or empty for what is no part of the product.
func room(folder string) string {
	parts := strings.Split(folder, "/")
	switch parts[0] {
	case "api", "controllers", "internal":
		return filepath.Join(parts[:min(len(parts), 2)]...)
	default:
		return ""
	}
}

// designPages are all that is written below docs/design.
func designPages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "docs/design/*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d pages, %v", len(files), err)
	}
	for i, file := range files {
		files[i] = "docs/design/" + filepath.Base(file)
	}
	return files
}

// tree are the files of the repository, by their path within it. What tools leave in bin is not of it.
func tree(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == ".git" || name == "bin"):
			return filepath.SkipDir
		case !entry.IsDir():
			all[filepath.ToSlash(name)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// firstColumn are the names in the first cells of the table under a heading of the architecture.
func firstColumn(t *testing.T, heading string, name *regexp.Regexp) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, architecture))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, match := range name.FindAllStringSubmatch(cells[1], -1) {
			all = append(all, match[1])
		}
	}
	return all
}

// rules are those of depguard.
func rules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct{ Rules map[string]any }
			}
		}
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	return slices.Collect(maps.Keys(config.Linters.Settings.Depguard.Rules))
}

// required is a module of go.mod that is no dependency of another one alone.
var required = regexp.MustCompile(`(?m)^\t([^\s]+) v[^\s]+$`)

func directModules(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range required.FindAllStringSubmatch(string(text), -1) {
		all = append(all, match[1])
	}
	return all
}

// wantSameNames compares two lists without their order.
func wantSameNames(t *testing.T, heading string, told, want []string) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("there is nothing for %q to name", heading)
	}
	for _, name := range want {
		if !slices.Contains(told, name) {
			t.Errorf("%s does not name %s under %q", architecture, name, heading)
		}
	}
	for _, name := range told {
		if !slices.Contains(want, name) {
			t.Errorf("%s names %s under %q, which is not there", architecture, name, heading)
		}
	}
}
