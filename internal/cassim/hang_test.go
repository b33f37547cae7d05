// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// hanging waits until n calls hang.
func (w *world) hanging(n int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	if err := w.AwaitHanging(ctx, n); err != nil {
		w.t.Fatal(err)
	}
}

type created struct {
	resp *sdkcas.CreateCertificateWithCsrRequestResponse
	err  error
}

// createAside makes an order with the SDK while the test goes on. It has a client of its own, because none may be
// shared.
func (w *world) createAside() <-chan created {
	client, _ := w.clients(cassim.DefaultKeyID, cassim.DefaultKeySecret, "")
	req := w.application("example.com")
	outcome := make(chan created, 1)
	go func() {
		resp, err := client.CreateCertificateWithCsrRequest(req)
		outcome <- created{resp, err}
	}()
	return outcome
}

// postAside sends a signed request that the test can give up.
func (w *world) postAside(values url.Values) (giveUp func(), done <-chan error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL()+"/?"+values.Encode(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ended := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		ended <- err
	}()
	return cancel, ended
}

func TestAReplyIsKeptBackAfterTheExecution(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Executed: true})
	outcome := w.createAside()
	w.hanging(1)
	if len(w.Ledger()) != 1 || len(outcome) != 0 {
		t.Errorf("%d billed, %d answered", len(w.Ledger()), len(outcome))
	}
	if pending := w.Faults(); len(pending) != 1 || pending[0].Left != 0 || pending[0].Hanging != 1 {
		t.Errorf("pending: %+v", pending)
	}
	w.LiftFaults()
	if got := <-outcome; got.err != nil || got.resp.OrderId == 0 || len(w.Ledger()) != 1 {
		t.Errorf("got %+v, %d billed", got, len(w.Ledger()))
	}
	w.hanging(0)
}

func TestACallThatHangsMayNeverBeExecuted(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Times: -1})
	first, second := w.createAside(), w.createAside()
	w.hanging(2)
	w.LiftFaults()
	if a, b := <-first, <-second; a.err == nil || b.err == nil || len(w.Ledger()) != 0 {
		t.Errorf("got %v, %v, %d billed", a.err, b.err, len(w.Ledger()))
	}
	w.order("example.com")
}

func TestACallIsExecutedLateThoughItsCallerHasGone(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Late: true})
	giveUp, done := w.postAside(signed(w.creation(), nil))
	w.hanging(1)
	giveUp()
	if err := <-done; err == nil || len(w.Ledger()) != 0 {
		t.Errorf("got %v, %d billed", err, len(w.Ledger()))
	}
	if request := w.Requests()[0]; request.Executed || request.Fault != cassim.Hang {
		t.Errorf("before the lift: %+v", request)
	}
	w.pass(time.Minute)
	w.Lift(id)
	ledger := w.Ledger()
	if len(ledger) != 1 || !ledger[0].BoughtAt.Equal(began.Add(time.Minute)) {
		t.Fatalf("billed: %+v", ledger)
	}
	if request := w.Requests()[0]; !request.Executed || request.OrderID != ledger[0].OrderID || len(w.Requests()) != 1 {
		t.Errorf("after the lift: %+v", request)
	}
}

func TestACallThatIsExecutedLateIsAnsweredIfSomebodyWaits(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Late: true})
	outcome := w.createAside()
	w.hanging(1)
	if len(w.Ledger()) != 0 {
		t.Error("it was executed at once")
	}
	w.LiftFaults()
	if got := <-outcome; got.err != nil || got.resp.OrderId == 0 || len(w.Ledger()) != 1 {
		t.Errorf("got %+v, %d billed", got, len(w.Ledger()))
	}
}

func TestACallIsTooLateAfterFifteenMinutes(t *testing.T) {
	gateway := clocktesting.NewFakePassiveClock(time.Now())
	w := start(t, cassim.Options{GatewayClock: gateway})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Late: true})
	outcome := w.createAside()
	w.hanging(1)
	gateway.SetTime(gateway.Now().Add(16 * time.Minute))
	w.LiftFaults()
	got := <-outcome
	wantCode(t, got.err, 400, "InvalidTimeStamp.Expired")
	if len(w.Ledger()) != 0 {
		t.Errorf("billed: %+v", w.Ledger())
	}
}

func TestTheSameRequestIsExecutedOnceWhicheverCopyHangs(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Late: true})
	values := signed(w.creation(), nil)
	_, done := w.postAside(values)
	w.hanging(1)
	if status, answer := w.post(values, ""); status != 200 || answer["OrderId"] == "" {
		t.Errorf("the second copy: HTTP %d %v", status, answer)
	}
	w.LiftFaults()
	if err := <-done; err != nil || len(w.Ledger()) != 1 {
		t.Errorf("got %v, %d billed", err, len(w.Ledger()))
	}
	if first := w.Requests()[0]; first.Executed || first.Code != "SignatureNonceUsed" {
		t.Errorf("the first copy: %+v", first)
	}

	w.Inject(cassim.Fault{Action: create, Kind: cassim.DropReply, Executed: true})
	values = signed(w.creation(), nil)
	if _, done = w.postAside(values); <-done == nil {
		t.Error("the reply was not dropped")
	}
	if status, answer := w.post(values, ""); status != 400 || answer["Code"] != "SignatureNonceUsed" ||
		len(w.Ledger()) != 2 {
		t.Errorf("the copy of a request whose reply was lost: HTTP %d %v, %d billed", status, answer, len(w.Ledger()))
	}
}

func TestACallerWhoGoesAwayEndsAHang(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Executed: true})
	giveUp, done := w.postAside(signed(w.creation(), nil))
	w.hanging(1)
	giveUp()
	w.hanging(0)
	if err := <-done; err == nil || len(w.Ledger()) != 1 || len(w.Faults()) != 0 {
		t.Errorf("got %v, %d billed, pending %v", err, len(w.Ledger()), w.Faults())
	}
}

func TestClosingEndsEveryHangAndExecutesNothing(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Late: true})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Hang, Executed: true})
	first, second := w.createAside(), w.createAside()
	w.hanging(2)
	before := time.Now()
	w.Close()
	if took := time.Since(before); took > 900*time.Millisecond {
		t.Errorf("closing took %v: it gave up waiting", took)
	}
	if a, b := <-first, <-second; a.err == nil || b.err == nil || len(w.Ledger()) != 1 {
		t.Errorf("got %v, %v, %d billed", a.err, b.err, len(w.Ledger()))
	}
}
