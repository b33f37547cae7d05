// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// admin calls the admin API, and wants this status.
func (w *world) admin(status int, method, path, body string) string {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.URL()+"/-/"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		w.t.Errorf("%s %s: HTTP %d, want %d: %s %v", method, path, resp.StatusCode, status, text, err)
	}
	return string(text)
}

func (w *world) idIn(answer string) string {
	w.t.Helper()
	var created struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &created); err != nil || created.ID == "" {
		w.t.Fatalf("there is no id in %q: %v", answer, err)
	}
	return created.ID
}

func TestFaultsAreInjectedListedAndLiftedFromAnotherProcess(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.idIn(w.admin(201, "POST", "faults", `{"kind": "Refuse", "action": "`+create+`", "status": 500, "code": `+
		`"Error", "executed": true, "times": -1}`))
	hang := w.idIn(w.admin(201, "POST", "faults", `{"kind": "Hang", "late": true}`))
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	wantCode(t, err, 500, "Error")
	var pending []cassim.PendingFault
	if err := json.Unmarshal([]byte(w.admin(200, "GET", "faults", "")), &pending); err != nil {
		t.Fatal(err)
	}
	want := []cassim.PendingFault{
		{ID: id, Fault: cassim.Fault{Action: create, Kind: cassim.Refuse, Times: -1, Status: 500, Code: "Error",
			Executed: true}, Left: -1},
		{ID: hang, Fault: cassim.Fault{Kind: cassim.Hang, Late: true}, Left: 1},
	}
	if diff := cmp.Diff(want, pending); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	w.admin(204, "DELETE", "faults/"+id, "")
	w.admin(404, "DELETE", "faults/"+id, "")
	outcome := w.createAside()
	w.hanging(1)
	w.admin(204, "DELETE", "faults", "")
	if got := <-outcome; got.err != nil || len(w.Ledger()) != 2 || len(w.Faults()) != 0 {
		t.Errorf("got %v, %d billed, pending %v", got.err, len(w.Ledger()), w.Faults())
	}
	w.admin(400, "POST", "faults", `{"kind": "Earthquake"}`)
	w.admin(400, "POST", "faults", `{"kind": "Hang", "until": "tomorrow"}`)
}

func TestOrdersAreSteeredFromAnotherProcess(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour, Knobs: cassim.Knobs{VerifyFailReason: cassim.Present}})
	id := w.idIn(w.admin(201, "POST", "orders", `{"domain": "example.com", "state": "process", "tags": {"by": `+
		`"hand"}, "boughtAt": "2026-11-01T00:00:00Z"}`))
	order, _ := w.Order(id)
	if !order.Foreign || order.Tags["by"] != "hand" || order.BoughtAt.Day() != 1 {
		t.Errorf("the order is %+v", order)
	}
	mine := w.order("example.com")
	steer := func(what, body string) { t.Helper(); w.admin(204, "POST", "orders/"+mine+"/"+what, body) }
	steer("freeze", "")
	w.publish(mine)
	w.wantState(mine, cassim.StateDomainVerify)
	steer("thaw", "")
	w.wantState(mine, cassim.StateProcess)
	steer("ignoreCancel", "")
	w.mustCancel(mine)
	w.wantState(mine, cassim.StateProcess)
	steer("state", `{"state": "certificate"}`)
	steer("chain", `{"chain": "empty"}`)
	if told := w.describe(mine); told.Type != cassim.StateCertificate || told.Certificate != "" {
		t.Errorf("told: %+v", told)
	}
	steer("vanish", "")
	w.wantListed(id)
	steer("reappear", "")
	w.wantListed(mine, id)
	steer("state", `{"state": "verify_fail", "reason": "a list"}`)
	if order, _ := w.Order(mine); order.State != cassim.StateVerifyFail || order.FailReason != "a list" {
		t.Errorf("the order is %+v", order)
	}

	w.admin(404, "POST", "orders/1/freeze", "")
	w.admin(404, "POST", "orders/1/state", `{"state": "process"}`)
	w.admin(400, "POST", "orders/"+mine+"/state", `{}`)
	w.admin(400, "POST", "orders/"+mine+"/state", `{"state": "process", "reason": "a list"}`)
	w.admin(400, "POST", "orders/"+mine+"/chain", `{"chain": "gold"}`)
	w.admin(400, "POST", "orders", `{"domain": "a b"}`)
}

func TestTheServicesGoWrongFromAnotherProcess(t *testing.T) {
	w := start(t, cassim.Options{Accounts: []cassim.Account{{
		Keys:     []cassim.Key{{ID: "STS.one", Secret: "s", SecurityToken: "token"}},
		Packages: map[string]int{cassim.DefaultProduct: 5},
	}}})
	id := w.order("example.com")
	w.admin(200, "PUT", "listing", `{"missing": ["`+id+`"], "totalOff": 2}`)
	if w.wantListed(); w.list(nil).TotalCount != 3 {
		t.Errorf("%d in total", w.list(nil).TotalCount)
	}
	var listing cassim.Listing
	if err := json.Unmarshal([]byte(w.admin(200, "GET", "listing", "")), &listing); err != nil ||
		listing.TotalOff != 2 {
		t.Errorf("the listing is %+v: %v", listing, err)
	}
	w.admin(200, "PUT", "listing", `{}`)
	w.wantListed(id)

	w.admin(204, "PUT", "skew", `{"ahead": "-5m"}`)
	if got := w.admin(200, "GET", "skew", ""); !strings.Contains(got, `"-5m0s"`) || w.Skew() != -5*time.Minute {
		t.Errorf("the skew is %s", got)
	}
	w.admin(400, "PUT", "skew", `{"ahead": "soon"}`)

	if harm := w.admin(200, "GET", "harm", ""); harm != "" {
		t.Errorf("harm: %s", harm)
	}
	theirs := w.AddForeignOrder("example.com")
	w.mustCancel(theirs)
	if harm := w.admin(200, "GET", "harm", ""); !strings.Contains(harm, theirs) {
		t.Errorf("harm: %s", harm)
	}

	w.admin(204, "POST", "keys/STS.one/expire", "")
	w.admin(404, "POST", "keys/nobody/expire", "")
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	wantCode(t, err, 400, "InvalidSecurityToken.Expired")
}
