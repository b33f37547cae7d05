// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"net/http"
	"slices"
)

// FaultKind is what goes wrong.
type FaultKind string

// What can go wrong.
const (
	// DropReply closes the connection instead of an answer.
	DropReply FaultKind = "DropReply"
	// Redirect307 answers with a redirect to another host.
	Redirect307 FaultKind = "Redirect307"
	// HTML200 answers with a page of HTML and the status of success.
	HTML200 FaultKind = "HTML200"
)

// Fault goes wrong with the next calls of an action.
type Fault struct {
	Action string
	Kind   FaultKind
	// Times is how often.
	Times int
	// Executed says whether the call is executed, and billed, all the same.
	Executed bool
}

// Inject adds a fault.
func (s *Server) Inject(fault Fault) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.faults = append(s.faults, &fault)
}

func (s *Server) takeFault(action string) *Fault {
	at := slices.IndexFunc(s.faults, func(f *Fault) bool { return f.Action == action && f.Times > 0 })
	if at < 0 {
		return nil
	}
	s.faults[at].Times--
	return s.faults[at]
}

func (f *Fault) strike(w http.ResponseWriter) {
	switch f.Kind {
	case Redirect307:
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	case HTML200:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>the proxy says hello</body></html>"))
	default:
		panic(http.ErrAbortHandler)
	}
}
