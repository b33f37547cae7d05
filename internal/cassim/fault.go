// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// FaultKind is what goes wrong on the way of a call.
type FaultKind string

const (
	// DropReply closes the connection without a reply.
	DropReply FaultKind = "DropReply"
	// Redirect307 answers 307 with a Location.
	Redirect307 FaultKind = "Redirect307"
	// HTML200 answers a page of HTML with status 200.
	HTML200 FaultKind = "HTML200"
	// Refuse answers an error with the Status, Code and Message of the fault.
	Refuse FaultKind = "Refuse"
	// NumericCode is Refuse with a Code that is a JSON number, on which some SDKs panic (docs/design/cas.md §10.2).
	NumericCode FaultKind = "NumericCode"
	// Throttle answers 400 Throttling.User, which proves that nothing was executed.
	Throttle FaultKind = "Throttle"
	// NoOrderID answers 200 with a RequestId and nothing else.
	NoOrderID FaultKind = "NoOrderID"
	// EmptyObject answers 200 with {}.
	EmptyObject FaultKind = "EmptyObject"
	// EmptyBody answers 200 without a body.
	EmptyBody FaultKind = "EmptyBody"
	// Truncated answers with the first half of the true answer, in a complete HTTP message.
	Truncated FaultKind = "Truncated"
	// NullLists answers with the true answer, in which every list is null. It is for verbs that are executed.
	NullLists FaultKind = "NullLists"
	// Hang keeps the reply back until the fault is lifted, the caller goes away or the simulator closes. After a lift,
	// the true reply follows if the call was executed (Executed, Late); else the connection is closed.
	Hang FaultKind = "Hang"
)

// Fault befalls calls of one action that carry a good signature.
type Fault struct {
	// Action is the verb, or empty for any.
	Action string    `json:"action"`
	Kind   FaultKind `json:"kind"`
	// Times is how often; 0 means once, and less means until the fault is lifted.
	Times int `json:"times"`
	// Every makes the fault befall only every n-th call of the action, counted from 1 since the injection. 0 and 1 mean
	// each call. A call that an earlier fault befell does not count.
	Every int `json:"every"`
	// Executed tells whether the verb runs all the same, so that a create bills.
	Executed bool `json:"executed"`
	// Late has a call that hangs executed when the fault is lifted, even if the caller has gone. The call then passes
	// the gateway as though it had just arrived: its timestamp may be too old, its nonce used, or its key gone
	// (docs/design/cas.md §2.3, §2.4).
	Late bool `json:"late"`
	// Target is the Location of Redirect307. The default is another path of the simulator, which executes a request
	// that follows the redirect.
	Target string `json:"target"`
	// Status is that of Refuse and NumericCode. The default is 400, as nearly all errors of CAS have.
	Status int `json:"status"`
	// Code is that of Refuse, where empty means that the answer has none, and of NumericCode, where empty means the
	// status.
	Code string `json:"code"`
	// Message is that of Refuse and NumericCode.
	Message string `json:"message"`
}

// faultKinds are all that there are.
var faultKinds = map[FaultKind]bool{
	DropReply: true, Redirect307: true, HTML200: true, Refuse: true, NumericCode: true, Throttle: true,
	NoOrderID: true, EmptyObject: true, EmptyBody: true, Truncated: true, NullLists: true, Hang: true,
}

// Refuses faults that contradict themselves.
func (f *Fault) check() error {
	_, notNumeric := strconv.ParseInt(cmp.Or(f.Code, "0"), 10, 64)
	switch {
	case !faultKinds[f.Kind]:
		return fmt.Errorf("there is no fault %q", f.Kind)
	case f.Action != "" && !isVerb(f.Action):
		return fmt.Errorf("there is no action %q", f.Action)
	case f.Every < 0:
		return fmt.Errorf("there is no call %d", f.Every)
	case f.Late && (f.Kind != Hang || f.Executed):
		return fmt.Errorf("only a call that hangs and is not executed yet can be executed late")
	case f.Kind == Throttle && f.Executed:
		return fmt.Errorf("a call that is throttled is not executed")
	case f.Status != 0 && (f.Status < http.StatusOK || f.Status > 599):
		return fmt.Errorf("%d is no status of a reply", f.Status)
	case f.Kind == NumericCode && notNumeric != nil:
		return fmt.Errorf("the code %q is no number", f.Code)
	}
	return nil
}

// reply writes what the caller gets instead of the true answer.
func (f *Fault) reply(w http.ResponseWriter, r *http.Request, base string, c *call, truth wire) {
	switch f.Kind {
	case Redirect307:
		http.Redirect(w, r, cmp.Or(f.Target, base+"/moved?"+r.URL.RawQuery), http.StatusTemporaryRedirect)
	case HTML200:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>The service is being maintained.</body></html>"))
	case Refuse, NumericCode:
		refused := refuse(cmp.Or(f.Status, http.StatusBadRequest), f.Code, "%s", f.Message)
		body := refused.body(c.requestID, c.host(), c.key)
		switch {
		case f.Kind == NumericCode:
			body["Code"] = json.Number(cmp.Or(f.Code, strconv.Itoa(refused.status)))
		case f.Code == "":
			delete(body, "Code")
		}
		wire{refused.status, body}.write(w)
	case Throttle:
		wire{http.StatusBadRequest, flowControl().body(c.requestID, c.host(), c.key)}.write(w)
	case NoOrderID:
		wire{http.StatusOK, map[string]any{"RequestId": c.requestID}}.write(w)
	case EmptyObject:
		wire{http.StatusOK, map[string]any{}}.write(w)
	case EmptyBody:
		w.WriteHeader(http.StatusOK)
	case Truncated:
		text := truth.encode()
		w.WriteHeader(truth.status)
		_, _ = w.Write(text[:len(text)/2])
	case NullLists:
		wire{truth.status, withoutLists(truth.body).(map[string]any)}.write(w)
	case Hang:
		truth.write(w)
	default:
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
}

// Returns a copy of what is to be encoded, with null for every list.
func withoutLists(value any) any {
	switch value := value.(type) {
	case map[string]any:
		told := make(map[string]any, len(value))
		for key, member := range value {
			told[key] = withoutLists(member)
		}
		return told
	case []map[string]any, []any, []string:
		return nil
	default:
		return value
	}
}
