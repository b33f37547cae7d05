// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
)

// asking is a request for a verb of CAS, with what these verbs need.
func asking(verb string) *requests.RpcRequest {
	req := &requests.RpcRequest{}
	req.InitWithApiInfo("cas", "2020-04-07", verb, "cas", "openAPI")
	req.QueryParams["InstanceId"] = "cas_dv-cn-0123456789a"
	return req
}

// TestNobodyCanEndWhatSomebodyHasPaidFor asks for each verb that refunds, revokes or deletes what is in use: none is
// sent, however it is asked for, and whoever asks.
func TestNobodyCanEndWhatSomebodyHasPaidFor(t *testing.T) {
	arrived := 0
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived++
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	}))
	for _, verb := range []string{"RefundInstance", "DeleteInstance", "RevokeCertificate",
		"CancelCertificateForPackageRequest", "DeleteUserCertificate", "DeletePCACert", "RevokeWHClientCertificate",
		"CreateRevokeClientCertificate", "refundinstance"} {
		for _, err := range []error{
			caller.Do(context.Background(), asking(verb), newReply()),
			caller.DoOnce(context.Background(), asking(verb), newReply(), Once{}),
		} {
			if e := asError(t, err); e.Kind != KindInvalid || e.Sent || e.Action != verb {
				t.Errorf("%s: %+v", verb, e)
			}
		}
	}
	if arrived != 0 {
		t.Errorf("%d calls were sent", arrived)
	}
	if err := caller.Do(context.Background(), asking("GetInstanceDetail"), newReply()); err != nil || arrived != 1 {
		t.Errorf("a verb of the list was sent %d times: %v", arrived, err)
	}
}

var verbInCode = regexp.MustCompile(`\.Create(\w+)Request\(\)|newRequest\("(\w+)"\)|InitWithApiInfo\("\w+", "[\d-]+", "(\w+)"`)

// TestTheListOfVerbsIsWhatTheClientsAskFor finds verbs that no client needs any more, and those that it would refuse.
func TestTheListOfVerbsIsWhatTheClientsAskFor(t *testing.T) {
	asked := map[string][]string{}
	for folder, service := range map[string]string{"cas": "cas", "cas/instance": "cas", "dcv/alidns": "alidns",
		"sts": "sts"} {
		for _, match := range verbInCode.FindAllStringSubmatch(docs.Code(t, "../"+folder), -1) {
			asked[service] = append(asked[service], strings.Join(match[1:], ""))
		}
	}
	for service, names := range asked {
		slices.Sort(names)
		asked[service] = slices.Compact(names)
	}
	if diff := cmp.Diff(asked, verbs); diff != "" {
		t.Errorf("the clients ask for other verbs (-clients +list):\n%s", diff)
	}
}

// TestNobodyElseCallsAlibabaCloud reads the code for clients of the SDK, which would pass the list by.
func TestNobodyElseCallsAlibabaCloud(t *testing.T) {
	root, clients := filepath.Join("..", ".."), map[string]int{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator))); {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "hack", "test"}, name):
			return fs.SkipDir
		case entry.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		default:
			clients[filepath.ToSlash(filepath.Dir(name))] += clientsIn(t, path)
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(clients, func(_ string, n int) bool { return n == 0 })
	if diff := cmp.Diff(map[string]int{"internal/rpc": 1}, clients); diff != "" {
		t.Errorf("other folders have clients of the SDK (-want +have):\n%s", diff)
	}
}

// clientsIn counts where a file uses a client of the SDK.
func clientsIn(t *testing.T, path string) (count int) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	sdk := map[string]bool{}
	for _, imported := range file.Imports {
		from := strings.Trim(imported.Path.Value, `"`)
		if !strings.Contains(from, "alibaba-cloud-sdk-go") {
			continue
		}
		name := filepath.Base(from)
		if imported.Name != nil {
			name = imported.Name.Name
		}
		sdk[name] = true
	}
	ast.Inspect(file, func(node ast.Node) bool {
		used, isSelector := node.(*ast.SelectorExpr)
		if !isSelector {
			return true
		}
		of, isName := used.X.(*ast.Ident)
		if isName && sdk[of.Name] && (strings.HasPrefix(used.Sel.Name, "NewClient") || used.Sel.Name == "Client") {
			count++
		}
		return true
	})
	return count
}
