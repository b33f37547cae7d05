// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

const (
	create   = "CreateCertificateWithCsrRequest"
	describe = "DescribeCertificateState"
)

func TestARefusalDoesNotTellWhetherTheOrderWasMade(t *testing.T) {
	tests := []struct {
		status int
		code   string
	}{
		{500, "InternalError"}, {500, "Error"}, {503, "ServiceUnavailable"}, {502, ""},
		{403, "CreateCertificateRequestFailed"},
		{400, "InternalError"}, {400, "DeductQuotaFailed"}, {400, "CreateOrderFailed"}, {400, "DomainRepeat"},
		{400, "ParamRepeat"},
	}
	for _, test := range tests {
		for _, executed := range []bool{true, false} {
			w := start(t, cassim.Options{})
			w.Inject(cassim.Fault{Action: create, Kind: cassim.Refuse, Status: test.status, Code: test.code,
				Message: "a message", Executed: executed})
			_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
			wantCode(t, err, test.status, test.code)
			if !strings.Contains(err.Error(), "a message") {
				t.Errorf("%s: the message is lost: %v", test.code, err)
			}
			if billed := len(w.Ledger()) == 1; billed != executed {
				t.Errorf("%d %s with executed %v: billed is %v", test.status, test.code, executed, billed)
			}
			last := w.Requests()[0]
			if last.Executed != executed || last.Fault != cassim.Refuse || last.Code != "" ||
				(last.OrderID != "") != executed {
				t.Errorf("what is remembered is %+v", last)
			}
			w.order("example.net") // the fault is over
		}
	}
}

func TestARefusalIs400IfNothingElseIsSaid(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Kind: cassim.Refuse, Code: "DomainRepeat"})
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	wantCode(t, err, 400, "DomainRepeat")
}

func TestASuccessDoesNotTellWhichOrderWasMade(t *testing.T) {
	for _, kind := range []cassim.FaultKind{cassim.NoOrderID, cassim.EmptyObject, cassim.EmptyBody} {
		for _, executed := range []bool{true, false} {
			w := start(t, cassim.Options{})
			w.Inject(cassim.Fault{Action: create, Kind: kind, Executed: executed})
			resp, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
			if err != nil || resp.OrderId != 0 || resp.GetHttpStatus() != 200 {
				t.Errorf("%s: got %v, %+v", kind, err, resp)
			}
			if hasID := resp.RequestId != ""; hasID != (kind == cassim.NoOrderID) {
				t.Errorf("%s: the RequestId is %q", kind, resp.RequestId)
			}
			if billed := len(w.Ledger()) == 1; billed != executed {
				t.Errorf("%s with executed %v: billed is %v", kind, executed, billed)
			}
		}
	}
}

// raw posts a create that is signed as the SDK signs, and returns what came back.
func (w *world) raw(params map[string]string) (status int, header http.Header, body string) {
	w.t.Helper()
	target := w.URL() + "/?" + signed(params, nil).Encode()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, target, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func (w *world) creation() map[string]string {
	w.t.Helper()
	return map[string]string{
		"Action": create, "Csr": newCSR(w.t, newKey(w.t), "example.com"), "Username": "u", "Email": "e", "Phone": "p",
		"ValidateType": "DNS",
	}
}

func TestATruncatedReplyIsTheBeginningOfTheTrueOne(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Truncated, Executed: true, Times: 2})
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	if err == nil || !strings.Contains(err.Error(), "SDK.JsonUnmarshalError") {
		t.Errorf("the SDK says %v", err)
	}
	status, _, body := w.raw(w.creation())
	if status != 200 || !strings.HasPrefix(body, `{"OrderId":"9898`) || strings.Contains(body, "}") ||
		len(w.Ledger()) != 2 {
		t.Errorf("HTTP %d %q, %d billed", status, body, len(w.Ledger()))
	}
}

func TestAListMayBeNull(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: "DescribeDomains", Kind: cassim.NullLists, Executed: true})
	status, _, body := w.raw(map[string]string{"Action": "DescribeDomains", "Version": "2015-01-09"})
	if status != 200 || !strings.Contains(body, `"Domains":{"Domain":null}`) ||
		!strings.Contains(body, `"TotalCount":1`) {
		t.Errorf("HTTP %d %q", status, body)
	}
}

func TestACodeMayBeANumber(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.NumericCode, Status: 500, Executed: true})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.NumericCode, Code: "-12", Executed: true})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the SDK does not panic: then the code is not the number that it panics on")
			}
		}()
		_, _ = w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	}()
	status, _, body := w.raw(w.creation())
	if status != 400 || !strings.Contains(body, `"Code":-12,`) || len(w.Ledger()) != 2 {
		t.Errorf("HTTP %d %s, %d billed", status, body, len(w.Ledger()))
	}
}

func TestAThrottledCallIsNotExecuted(t *testing.T) {
	w := start(t, cassim.Options{})
	w.Inject(cassim.Fault{Action: create, Kind: cassim.Throttle, Times: 3})
	for range 3 {
		_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
		wantCode(t, err, 400, "Throttling.User")
		if _, err := w.cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest()); err != nil {
			t.Errorf("another verb: %v", err)
		}
	}
	if len(w.Ledger()) != 0 {
		t.Errorf("billed: %+v", w.Ledger())
	}
	w.order("example.com")
}

func TestAFaultBefallsEveryNthCallUntilItIsLifted(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.Inject(cassim.Fault{Action: "DescribePackageState", Kind: cassim.Throttle, Every: 3, Times: -1})
	ask := func(n int) (outcomes []bool) {
		for range n {
			_, err := w.cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
			outcomes = append(outcomes, err == nil)
			w.list(nil) // calls of others do not count
		}
		return outcomes
	}
	if got := ask(7); !slices.Equal(got, []bool{true, true, false, true, true, false, true}) {
		t.Errorf("the calls that succeed are %v", got)
	}
	if !w.Lift(id) || w.Lift(id) {
		t.Error("a fault is lifted once")
	}
	if got := ask(3); slices.Contains(got, false) {
		t.Errorf("after the lift: %v", got)
	}
	w.Inject(cassim.Fault{Action: "DescribePackageState", Kind: cassim.Throttle, Every: 2})
	if got := ask(5); !slices.Equal(got, []bool{true, false, true, true, true}) {
		t.Errorf("once, the second call: %v", got)
	}
}

func TestFaultsAreListedWhileTheyArePending(t *testing.T) {
	w := start(t, cassim.Options{})
	first := cassim.Fault{Action: create, Kind: cassim.Throttle, Times: 2}
	second := cassim.Fault{Kind: cassim.EmptyBody, Times: -1}
	a, b := w.Inject(first), w.Inject(second)
	want := func(pending ...cassim.PendingFault) {
		t.Helper()
		if diff := cmp.Diff(append([]cassim.PendingFault{}, pending...), w.Faults()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	want(cassim.PendingFault{ID: a, Fault: first, Left: 2}, cassim.PendingFault{ID: b, Fault: second, Left: -1})
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	wantCode(t, err, 400, "Throttling.User")
	want(cassim.PendingFault{ID: a, Fault: first, Left: 1}, cassim.PendingFault{ID: b, Fault: second, Left: -1})
	_, err = w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	wantCode(t, err, 400, "Throttling.User")
	want(cassim.PendingFault{ID: b, Fault: second, Left: -1})
	w.LiftFaults()
	want()
	w.order("example.com")
}

func TestFaultsThatCannotBePanic(t *testing.T) {
	w := start(t, cassim.Options{})
	for name, fault := range map[string]cassim.Fault{
		"late without a wait":      {Kind: cassim.DropReply, Late: true},
		"executed and late":        {Kind: cassim.Hang, Late: true, Executed: true},
		"throttled and executed":   {Kind: cassim.Throttle, Executed: true},
		"no status":                {Kind: cassim.Refuse, Status: 99},
		"a number that is none":    {Kind: cassim.NumericCode, Code: "InternalError"},
		"every minus second call":  {Kind: cassim.Throttle, Every: -2},
		"a kind that is not there": {},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			w.Inject(fault)
		}()
	}
	if len(w.Faults()) != 0 {
		t.Errorf("pending: %+v", w.Faults())
	}
}
