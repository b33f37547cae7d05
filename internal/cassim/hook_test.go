// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestAHookSeesAGoodRequestBeforeItIsExecuted(t *testing.T) {
	var w *world
	var seen []cassim.Request
	billed := -1
	w = start(t, cassim.Options{OnRequest: func(r cassim.Request) bool {
		seen, billed = append(seen, r), len(w.Ledger())
		return false
	}})
	id := w.order("example.com")
	if billed != 0 || len(seen) != 1 {
		t.Fatalf("%d billed before, %d seen", billed, len(seen))
	}
	if r := seen[0]; r.Action != create || r.Executed || r.OrderID != "" || r.AccountID == "" ||
		r.Params["Csr"] == "" || r.Params["Signature"] != "" {
		t.Errorf("seen: %+v", r)
	}
	if w.describe(id); len(seen) != 2 || seen[1].OrderID != id {
		t.Errorf("seen: %+v", seen)
	}
	w.cas, _ = w.clients(cassim.DefaultKeyID, "wrong", "")
	if _, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com")); codeOf(
		err) != "SignatureDoesNotMatch" || len(seen) != 2 {
		t.Errorf("got %v; a request of a stranger was seen: %+v", err, seen)
	}
}

func TestAHookSeesWhatTookEffectBeforeTheReply(t *testing.T) {
	var w *world
	var seen []cassim.Request
	w = start(t, cassim.Options{OnExecuted: func(r cassim.Request) bool {
		if seen = append(seen, r); r.Action == create {
			if order, ok := w.Order(r.OrderID); !ok || order.State != cassim.StateDomainVerify {
				t.Errorf("the order is %+v", order)
			}
			w.FailReview(r.OrderID, "the hook says so") // a hook may steer what has just been made
		}
		return false
	}})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Throttle})
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	if wantCode(t, err, 400, "Throttling.User"); len(seen) != 0 {
		t.Errorf("seen, though it was not executed: %+v", seen)
	}
	id := w.order("example.com")
	if len(seen) != 1 || !seen[0].Executed || seen[0].OrderID != id {
		t.Errorf("seen: %+v", seen)
	}
	w.wantState(id, cassim.StateVerifyFail)
}

func TestAHookDropsTheReply(t *testing.T) {
	for name, test := range map[string]struct {
		before, after bool
		billed        int
	}{"before the execution": {true, false, 0}, "after the execution": {false, true, 1}} {
		calls := 0
		hook := func(drop bool) cassim.Hook {
			return func(cassim.Request) bool { calls++; return drop }
		}
		w := start(t, cassim.Options{OnRequest: hook(test.before), OnExecuted: hook(test.after)})
		resp, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
		if codeOf(err) == "" || len(w.Ledger()) != test.billed || calls != 1+test.billed {
			t.Errorf("%s: got %v, %v, %d billed, %d calls of hooks", name, resp, err, len(w.Ledger()), calls)
		}
		if r := w.Requests()[0]; len(w.Requests()) != 1 || r.Fault != cassim.DropReply ||
			r.Executed != (test.billed == 1) {
			t.Errorf("%s: remembered is %+v", name, r)
		}
	}
}

func TestAHookThatDropsTheReplyLeavesNothingHanging(t *testing.T) {
	w := start(t, cassim.Options{OnExecuted: func(cassim.Request) bool { return true }})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Executed: true})
	if _, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com")); err == nil {
		t.Error("there is a reply")
	}
	w.hanging(0)
	if len(w.Faults()) != 0 || len(w.Ledger()) != 1 {
		t.Errorf("pending %+v, %d billed", w.Faults(), len(w.Ledger()))
	}
}
