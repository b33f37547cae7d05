// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Request is a request as it arrived and what became of it.
type Request struct {
	// Action is empty if the request had none, and AccountID if the caller is not known.
	Action, AccountID string
	// Params are all parameters but the signature and the security token. Contact data is among them.
	Params map[string]string
	// At is the time of the services.
	At time.Time
	// Code is that of the refusal, or empty for a success. It is what the verb came to, also if a fault hid it from the caller.
	Code string
	// Executed tells that the verb ran, successfully or not.
	Executed bool
	// Fault is the fault that the reply had, or empty.
	Fault FaultKind
	// OrderID is the order that the request names or made.
	OrderID string
}

func (s *Server) handler() http.Handler {
	admin := s.admin()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			panic(http.ErrAbortHandler) // closes the connection without a word
		}
		defer s.done.Done()
		if strings.HasPrefix(r.URL.Path, "/-/") {
			admin.ServeHTTP(w, r)
			return
		}
		s.serveCall(w, r)
	})
}

func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	s.look()
	c, refused := readCall(r)
	answer, fault := s.settleCall(c, refused)
	s.opts.Logf("%s %s", c.params["Action"], answer.outcome())
	if s.Knobs().DateHeader == Present {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	} else {
		w.Header()["Date"] = nil // net/http would add the machine's
	}
	if fault != nil {
		fault.reply(w, r, s.URL())
		return
	}
	host := "cas.aliyuncs.com"
	if c.params["Version"] == versionAlidns {
		host = "alidns.aliyuncs.com"
	}
	status, body := http.StatusOK, map[string]any(answer.reply)
	if answer.refused != nil {
		status, body = answer.refused.status, answer.refused.body(c.requestID, host, c.key)
	}
	body["RequestId"] = c.requestID
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away needs no answer
}

// answer is either a reply or a refusal.
type answer struct {
	reply   reply
	refused *refusal
}

func (a answer) outcome() string {
	if a.refused != nil {
		return a.refused.code
	}
	return "OK"
}

// settleCall passes the gateway and runs the verb. All of it is one step for everybody else.
func (s *Server) settleCall(c *call, refused *refusal) (answer, *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	for _, check := range []func(*call) *refusal{s.checkCommon, s.authenticate} {
		if refused == nil {
			refused = check(c)
		}
	}
	var fault *Fault
	if refused == nil {
		fault = s.takeFault(c.action.name)
	}
	var result answer
	executed := false
	switch {
	case refused != nil:
		result.refused = refused
	case fault != nil && !fault.Executed:
		// Something in front of the gateway answers, so that even the nonce is still good.
	default:
		if result.refused = s.authorize(c); result.refused == nil {
			executed = true
			result.reply, result.refused = c.action.run(s, c)
		}
	}
	if result.refused != nil && c.params["Version"] == versionCAS {
		result.refused = s.inVocabulary(result.refused)
	}
	s.record(c, result, executed, fault)
	return result, fault
}

func (s *Server) record(c *call, result answer, executed bool, fault *Fault) {
	request := Request{Action: c.params["Action"], Params: c.withoutSecrets(), At: s.now(), Executed: executed, OrderID: c.orderID}
	if request.OrderID == "" {
		request.OrderID = c.params["OrderId"]
	}
	if c.key != nil {
		request.AccountID = c.key.account.id
	}
	if result.refused != nil {
		request.Code = result.refused.code
	}
	if fault != nil {
		request.Fault = fault.Kind
	}
	s.requests = append(s.requests, request)
}

func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
