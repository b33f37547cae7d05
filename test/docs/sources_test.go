// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// root is the repository.
const root = "../.."

// units are those of package time, in nanoseconds.
var units = map[string]int64{"Nanosecond": 1, "Microsecond": 1e3, "Millisecond": 1e6, "Second": 1e9, "Minute": 60e9,
	"Hour": 3600e9}

// code is what the pages can name: constants by their package's folder and name, all literal strings, and the flags.
type code struct {
	constants map[string]ast.Expr
	words     map[string]bool
	flags     map[string]bool
}

func readCode(t *testing.T) *code {
	t.Helper()
	return readCodeIn(t, "main.go", "api", "controllers", "internal")
}

func readCodeIn(t *testing.T, folders ...string) *code {
	t.Helper()
	read := &code{constants: map[string]ast.Expr{}, words: map[string]bool{}, flags: map[string]bool{}}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err == nil {
				dir, _ := filepath.Rel(root, filepath.Dir(path))
				read.take(dir, file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return read
}

func (c *code) take(dir string, file *ast.File) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i < len(n.Values) {
					c.constants[dir+"."+name.Name] = n.Values[i]
				}
			}
		case *ast.BasicLit:
			if word, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				c.words[word] = true
			}
		case *ast.BinaryExpr:
			if n.Op == token.ADD {
				c.words[joined(n)] = true
			}
		case *ast.CallExpr:
			if name, isFlag := flagOf(n); isFlag {
				c.flags[name] = true
			}
		}
		return true
	})
}

// joined is a text that is put together, with "…" for what is no literal.
func joined(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.BinaryExpr:
		return joined(e.X) + joined(e.Y)
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	}
	return "…"
}

// flagOf is the name of the flag that a call of package flag defines.
func flagOf(call *ast.CallExpr) (name string, isFlag bool) {
	selector, isSelector := call.Fun.(*ast.SelectorExpr)
	if !isSelector || len(call.Args) < 3 || !strings.HasSuffix(selector.Sel.Name, "Var") {
		return "", false
	}
	literal, isLiteral := call.Args[1].(*ast.BasicLit)
	if of, isIdent := selector.X.(*ast.Ident); !isLiteral || !isIdent || of.Name != "flag" {
		return "", false
	}
	name, err := strconv.Unquote(literal.Value)
	return name, err == nil
}

// value is that of a constant, as internal/rpc.DefaultRate. A duration is in seconds.
func (c *code) value(t *testing.T, name string) float64 {
	t.Helper()
	expr, isThere := c.constants[name]
	if !isThere {
		t.Fatalf("there is no constant %s", name)
	}
	dir := name[:strings.LastIndex(name, ".")]
	value := c.eval(t, dir, expr)
	if value.Kind() == constant.String { // such as 50%
		value = constant.MakeFromLiteral(strings.TrimSuffix(constant.StringVal(value), "%"), token.INT, 0)
	}
	number, _ := constant.Float64Val(constant.ToFloat(value))
	if isDuration(c, dir, expr) {
		number /= 1e9
	}
	return number
}

func (c *code) eval(t *testing.T, dir string, expr ast.Expr) constant.Value {
	t.Helper()
	switch e := expr.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0)
	case *ast.ParenExpr:
		return c.eval(t, dir, e.X)
	case *ast.BinaryExpr:
		return constant.BinaryOp(c.eval(t, dir, e.X), e.Op, c.eval(t, dir, e.Y))
	case *ast.Ident:
		if next, isThere := c.constants[dir+"."+e.Name]; isThere {
			return c.eval(t, dir, next)
		}
	case *ast.SelectorExpr:
		if unit, isUnit := units[e.Sel.Name]; isUnit {
			return constant.MakeInt64(unit)
		}
	}
	t.Fatalf("%s has a constant that cannot be read: %T", dir, expr)
	return nil
}

// isDuration says that an expression has a unit of time in it.
func isDuration(c *code, dir string, expr ast.Expr) bool {
	found := false
	ast.Inspect(expr, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.SelectorExpr:
			found = found || units[n.Sel.Name] > 0
			return false
		case *ast.Ident:
			if next, isThere := c.constants[dir+"."+n.Name]; isThere {
				found = found || isDuration(c, dir, next)
			}
		}
		return true
	})
	return found
}

// schemas are the fields of our kinds and of cert-manager's Certificate and CertificateRequest, by their paths without
// the items of lists: spec.solvers.dns.alidns.
func schemas(t *testing.T) (ours, theirs map[string]map[string]any) {
	t.Helper()
	ours, theirs = map[string]map[string]any{}, map[string]map[string]any{}
	for _, name := range []string{"aliyunissuers", "aliyunclusterissuers", "aliyunorders"} {
		fieldsOf(t, filepath.Join(root, "config/crd/bases/certmanager.aliyun.com_"+name+".yaml"), ours)
	}
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/cert-manager/cert-manager").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"certificates", "certificaterequests"} {
		fieldsOf(t, filepath.Join(strings.TrimSpace(string(module)), "deploy/crds/cert-manager.io_"+name+".yaml"),
			theirs)
	}
	return ours, theirs
}

func fieldsOf(t *testing.T, file string, all map[string]map[string]any) {
	t.Helper()
	crd := struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}{}
	unmarshal(t, file, &crd)
	var walk func(path string, schema map[string]any)
	walk = func(path string, schema map[string]any) {
		if items, isList := schema["items"].(map[string]any); isList {
			walk(path, items)
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, field := range properties {
			next := strings.TrimPrefix(path+"."+name, ".")
			all[next] = field.(map[string]any)
			walk(next, all[next])
		}
	}
	walk("", crd.Spec.Versions[0].Schema.OpenAPIV3Schema)
}

// chartValues are the values of the chart by their paths.
func chartValues(t *testing.T) map[string]any {
	t.Helper()
	values, all := map[string]any{}, map[string]any{}
	unmarshal(t, filepath.Join(root, "charts/aliyun-issuer/values.yaml"), &values)
	var walk func(path string, value any)
	walk = func(path string, value any) {
		all[path] = value
		members, _ := value.(map[string]any)
		for name, member := range members {
			walk(strings.TrimPrefix(path+"."+name, "."), member)
		}
	}
	walk("", values)
	return all
}

func unmarshal(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
