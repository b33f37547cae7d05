// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/alidns"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// The values below are what must never appear in an error.
const (
	keyID  = "LTAI5tTESTkeyIdentifier"
	secret = "TESTkeySecretTESTkeySecret"
	token  = "CAISTESTsecurityToken+/="
)

// world is a simulator whose first account is ours.
type world struct {
	*cassim.Server
	t    *testing.T
	seen int // how many of the requests wantCalls has judged
}

const ourAccount = "1000000000000001"

// start begins a world in which the account has these zones. Another account has example.org.
func start(t *testing.T, zones ...string) *world {
	t.Helper()
	return startWith(t, cassim.Options{}, zones...)
}

func startWith(t *testing.T, opts cassim.Options, zones ...string) *world {
	t.Helper()
	ours := cassim.Account{ID: ourAccount, Packages: map[string]int{cassim.DefaultProduct: 1}, Zones: zones}
	ours.Keys = []cassim.Key{{ID: keyID, Secret: secret, SecurityToken: token}}
	opts.Accounts = []cassim.Account{ours, {Zones: []string{"example.org"}}}
	opts.Logf = t.Logf
	server := cassim.New(opts)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return &world{Server: server, t: t}
}

// accounts numbers the accounts of solvers, so that each has a rate of its own.
var accounts atomic.Int64

var credentials = credentialsOf("")

func credentialsOf(account string) rpc.CredentialsProvider {
	return rpc.StaticCredentials(rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret, SecurityToken: token,
		Account: account})
}

func newSolver(t *testing.T, url string) *alidns.Solver {
	t.Helper()
	solver, err := alidns.New(alidns.Config{
		Endpoint: rpc.Endpoint{URL: url}, Credentials: credentialsOf(fmt.Sprintf("alidns-%d", accounts.Add(1))),
	})
	if err != nil {
		t.Fatal(err)
	}
	return solver
}

func (w *world) solver() *alidns.Solver {
	w.t.Helper()
	return newSolver(w.t, w.URL())
}

// refusing is a gateway in front of the world that refuses one action with a code, and passes everything else on.
func (w *world) refusing(action string, status int, code string) *alidns.Solver {
	w.t.Helper()
	target, err := url.Parse(w.URL())
	if err != nil {
		w.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	gateway := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("Action") != action {
			proxy.ServeHTTP(rw, r)
			return
		}
		rw.WriteHeader(status)
		if err := json.NewEncoder(rw).Encode(map[string]string{
			"RequestId": "7B7B7B7B-0000-0000-0000-000000000000", "Code": code, "Message": "Refused by the test: " +
				r.URL.RawQuery,
		}); err != nil {
			w.t.Error(err)
		}
	}))
	w.t.Cleanup(gateway.Close)
	return newSolver(w.t, gateway.URL)
}

// wantCalls fails unless these were the calls since it was last asked, in this order.
func (w *world) wantCalls(want ...string) {
	w.t.Helper()
	requests := w.Requests()
	var got []string
	for _, request := range requests[w.seen:] {
		got = append(got, request.Action)
	}
	w.seen = len(requests)
	if !slices.Equal(got, want) {
		w.t.Errorf("called %q, want %q", got, want)
	}
}

// person adds a record by hand, and returns the fullest description of it.
func (w *world) person(zone, rr, kind, value string) cassim.Record {
	w.t.Helper()
	return w.byID(w.AddRecord(zone, rr, kind, value))
}

// onLine adds a record for the visitors of one network, which a person does in the console.
func (w *world) onLine(line, rr, value string) cassim.Record {
	w.t.Helper()
	caller, err := rpc.New(rpc.Config{Endpoint: rpc.Endpoint{Region: "cn-hangzhou", URL: w.URL()},
		Credentials: credentials})
	if err != nil {
		w.t.Fatal(err)
	}
	req, resp := sdk.CreateAddDomainRecordRequest(), sdk.CreateAddDomainRecordResponse()
	req.DomainName, req.RR, req.Type, req.Value, req.Line = "example.com", rr, "TXT", value, line
	if err := caller.Do(w.t.Context(), req, resp); err != nil {
		w.t.Fatal(err)
	}
	return w.byID(resp.RecordId)
}

func (w *world) byID(id string) cassim.Record {
	w.t.Helper()
	records := w.Records("")
	i := slices.IndexFunc(records, func(r cassim.Record) bool { return r.ID == id })
	if i < 0 {
		w.t.Fatalf("there is no record %q", id)
	}
	return records[i]
}

// wantRecords fails unless the account's zones hold exactly these, down to ids, TTLs and times.
func (w *world) wantRecords(want ...cassim.Record) {
	w.t.Helper()
	slices.SortFunc(want, func(a, b cassim.Record) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff(append([]cassim.Record{}, want...), w.Records("")); diff != "" {
		w.t.Errorf("-want +got:\n%s", diff)
	}
}
