// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Request is a request as it arrived and what became of it.
type Request struct {
	// Action is empty if the request had none, and AccountID if the caller is not known.
	Action, AccountID string
	// Host is the Host header as it was sent: with ProxyURL the name of the endpoint that the caller chose.
	Host string
	// Params are all parameters but the signature and the tokens. Contact data is among them.
	Params map[string]string
	// At is the time of the services.
	At time.Time
	// Code is that of the refusal, or empty for a success. It is what the verb came to, even if a fault hid that from
	// the caller.
	Code string
	// Executed tells that the verb ran, successfully or not.
	Executed bool
	// Fault is the fault that the reply had, or empty. It is DropReply if a hook wanted no reply.
	Fault FaultKind
	// OrderID is the order that the request names or made.
	OrderID string
	// InstanceID is the instance that the request names.
	InstanceID string

	// foreignApplication tells that the request cancelled an application of somebody else.
	foreignApplication bool
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

// Serves a call. The call arrives, is executed unless a fault prevents that, and is answered unless a fault or a hook
// prevents that.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	c, refused := readCall(r)
	defer s.endHang(c)
	if s.arrive(c, refused) {
		s.passHook(s.opts.OnRequest, c)
	}
	truth := s.execute(c, refused)
	if c.hangs() {
		truth = s.hang(r, c, truth)
	}
	if date := s.date(); date != "" {
		w.Header().Set("Date", date)
	} else {
		w.Header()["Date"] = nil // net/http would add the machine's
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	if c.fault != nil {
		c.fault.reply(w, r, s.URL(), c, truth)
		return
	}
	truth.write(w)
}

// Remembers the call, and says whether it is a good one from a caller that is known.
func (s *Server) arrive(c *call, refused *refusal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused = s.check(c, refused)
	c.index = len(s.requests)
	s.requests = append(s.requests, Request{
		Action: c.params["Action"], Host: c.sentTo, Params: c.withoutSecrets(), At: s.now(),
		OrderID: c.params["OrderId"], InstanceID: cmp.Or(c.params["InstanceId"], c.params["TaskId"]),
	})
	s.record(c, refused, false)
	return refused == nil
}

// Settles the call, and calls the hook if the verb has run.
func (s *Server) execute(c *call, refused *refusal) wire {
	s.look()
	s.fetchKeys(c)
	truth, executed := s.settle(c, refused)
	if executed {
		s.passHook(s.opts.OnExecuted, c)
	}
	return truth
}

// check finds out who calls, and that the request is theirs.
func (s *Server) check(c *call, refused *refusal) *refusal {
	for _, check := range []func(*call) *refusal{s.checkCommon, s.authenticate} {
		if refused == nil {
			refused = check(c)
		}
	}
	return refused
}

// Checks the call at the gateway, and runs the verb. Nobody else sees a state in between.
func (s *Server) settle(c *call, refused *refusal) (truth wire, executed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	refused = s.check(c, refused)
	if refused == nil && c.fault == nil {
		c.fault = s.takeFault(c.action.name)
	}
	var told reply
	// A fault that keeps a call from being executed stands in front of the gateway, so that even the nonce of the call
	// is still good.
	if refused == nil && (c.fault == nil || c.fault.Executed || c.released) {
		if refused = s.authorize(c); refused == nil {
			executed = true
			told, refused = c.action.run(s, c)
		}
	}
	if refused != nil && c.params["Version"] == versionCAS {
		refused = s.inVocabulary(refused)
	}
	s.record(c, refused, executed)
	if refused != nil {
		s.opts.Logf("%s %s", c.params["Action"], refused.code)
		return wire{refused.status, refused.body(c.requestID, c.host(), c.key)}, executed
	}
	s.opts.Logf("%s OK", c.params["Action"])
	body := map[string]any{"RequestId": c.requestID}
	maps.Copy(body, told)
	return wire{http.StatusOK, body}, executed
}

// Updates what is remembered of a call.
func (s *Server) record(c *call, refused *refusal, executed bool) {
	request := &s.requests[c.index]
	request.Executed, request.Code = executed, ""
	request.OrderID = cmp.Or(c.orderID, request.OrderID)
	request.foreignApplication = c.harmsForeign
	if c.key != nil {
		request.AccountID = c.key.account.id
	}
	if refused != nil {
		request.Code = refused.code
	}
	if c.fault != nil {
		request.Fault = c.fault.Kind
	}
}

// date is what the services believe the time to be, or empty if they do not tell.
func (s *Server) date() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.knobs.DateHeader != Present {
		return ""
	}
	return s.now().Add(s.skew).UTC().Format(http.TimeFormat)
}

func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
