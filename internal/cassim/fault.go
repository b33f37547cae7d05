// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
)

// FaultKind is what goes wrong on the way.
type FaultKind string

const (
	// DropReply closes the connection without a reply.
	DropReply FaultKind = "DropReply"
	// Redirect307 answers 307 with a Location.
	Redirect307 FaultKind = "Redirect307"
	// HTML200 answers a page of HTML with status 200.
	HTML200 FaultKind = "HTML200"
)

// Fault befalls calls of one action that carry a good signature.
type Fault struct {
	// Action is the verb, or empty for any.
	Action string    `json:"action"`
	Kind   FaultKind `json:"kind"`
	// Times is how often; 0 means once.
	Times int `json:"times"`
	// Executed tells whether the verb runs, and a create bills, all the same.
	Executed bool `json:"executed"`
	// Target is the Location of Redirect307. The default is another path of the simulator, where a request that follows is executed.
	Target string `json:"target"`
}

// Inject makes a fault happen. Faults of one action happen in the order of their injection.
// It panics if there is no such fault.
func (s *Server) Inject(f Fault) {
	if err := f.check(); err != nil {
		panic("cassim: " + err.Error())
	}
	f.Times = max(f.Times, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// check refuses faults that do not exist.
func (f *Fault) check() error {
	switch f.Kind {
	case DropReply, Redirect307, HTML200:
	default:
		return fmt.Errorf("there is no fault %q", f.Kind)
	}
	if f.Action != "" && actions[versionCAS][f.Action] == nil && actions[versionAlidns][f.Action] == nil {
		return fmt.Errorf("there is no action %q", f.Action)
	}
	return nil
}

// takeFault returns the fault that befalls this call, or nil.
func (s *Server) takeFault(action string) *Fault {
	i := slices.IndexFunc(s.faults, func(f *Fault) bool { return f.Action == "" || f.Action == action })
	if i < 0 {
		return nil
	}
	taken := *s.faults[i]
	if s.faults[i].Times--; s.faults[i].Times == 0 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return &taken
}

func (f *Fault) reply(w http.ResponseWriter, r *http.Request, base string) {
	switch f.Kind {
	case Redirect307:
		http.Redirect(w, r, cmp.Or(f.Target, base+"/moved?"+r.URL.RawQuery), http.StatusTemporaryRedirect)
	case HTML200:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>The service is being maintained.</body></html>"))
	default:
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
}
