// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The bounds of what a reader has to take in at once.
const (
	maxFileLines     = 250
	maxFunctionLines = 50
	maxMethods       = 20
)

// eachFileOfTheControllers hands on what is no test.
func eachFileOfTheControllers(t *testing.T, look func(path string, text []byte, set *token.FileSet, file *ast.File)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(filepath.Join(root, "controllers"), func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
		if err == nil {
			look(path, text, set, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Error("no file was looked at")
	}
}

// TestFilesAndFunctionsOfTheControllersAreShort holds a bound that is easily passed by a few lines, each time.
func TestFilesAndFunctionsOfTheControllersAreShort(t *testing.T) {
	eachFileOfTheControllers(t, func(path string, _ []byte, set *token.FileSet, file *ast.File) {
		if n := set.Position(file.FileEnd).Line; n > maxFileLines {
			t.Errorf("%s has %d lines, and %d are the most: it has two ideas", path, n, maxFileLines)
		}
		for _, declared := range file.Decls {
			function, isFunction := declared.(*ast.FuncDecl)
			if !isFunction {
				continue
			}
			if n := set.Position(function.End()).Line - set.Position(function.Pos()).Line + 1; n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, and %d are the most", path, function.Name.Name, n, maxFunctionLines)
			}
		}
	})
}

// wordOfASource is a verb, a state, a listing, a quota or a product code of CAS, or what only one source has.
var wordOfASource = regexp.MustCompile(`CreateCertificateWithCsrRequest|DescribeCertificateState|DescribePackageState|` +
	`ListUserCertificateOrder|CancelOrderRequest|DeleteCertificateRequest|GetUserCertificateDetail|ListInstances|` +
	`GetInstanceDetail|UpdateInstance|ApplyCertificate|CancelPendingCertificate|` +
	`\bpayed\b|domain_verify|verify_fail|\bunknow\b|\binactive\b|willExpire|` +
	`(?i:\blistings?\b|\bquotas?\b|product ?code|resource ?plan|\bplans?\b|\binstances?\b)`)

// TestTheControllersSpeakNoWordOfASource keeps behind the contract of internal/source what it was cut for. The comments
// are held to it, too: whoever has to explain by a word of CAS what the machine does has put it into the wrong room.
func TestTheControllersSpeakNoWordOfASource(t *testing.T) {
	eachFileOfTheControllers(t, func(path string, text []byte, _ *token.FileSet, _ *ast.File) {
		for n, line := range strings.Split(string(text), "\n") {
			if word := wordOfASource.FindString(line); word != "" {
				t.Errorf("%s:%d says %q, which is for a room below internal/source", path, n+1, word)
			}
		}
	})
}

// TestNoTypeOfTheControllersHasManyMethods keeps phases from growing together again into one type that can do all.
func TestNoTypeOfTheControllersHasManyMethods(t *testing.T) {
	methods := map[string]int{}
	eachFileOfTheControllers(t, func(path string, _ []byte, _ *token.FileSet, file *ast.File) {
		for _, declared := range file.Decls {
			function, isFunction := declared.(*ast.FuncDecl)
			if !isFunction || function.Recv == nil {
				continue
			}
			of := function.Recv.List[0].Type
			if pointer, isPointer := of.(*ast.StarExpr); isPointer {
				of = pointer.X
			}
			methods[filepath.Dir(path)+"."+of.(*ast.Ident).Name]++
		}
	})
	for of, n := range methods {
		if n > maxMethods {
			t.Errorf("%s has %d methods, and %d are the most", of, n, maxMethods)
		}
	}
}
