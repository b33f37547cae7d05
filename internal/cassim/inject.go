// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"slices"
	"strconv"
	"sync"
)

// PendingFault is an injected fault that is neither used up nor lifted, or in which calls still hang.
type PendingFault struct {
	// ID is what Inject returned.
	ID string `json:"id"`
	Fault
	// Left is how often it still happens; less than 0 means until it is lifted.
	Left int `json:"left"`
	// Hanging is how many calls it keeps back now.
	Hanging int `json:"hanging"`
}

// injected is a fault that was injected, with what has come of it so far.
type injected struct {
	Fault
	id      string
	left    int
	seen    int // calls that it could have befallen
	hanging int
	lifted  chan struct{}
	woken   sync.WaitGroup // waits for the calls that hang, until their late execution is over
}

// Inject makes a fault happen, and returns the id to lift it by. Faults of one action happen in the order of their
// injection. It panics if there is no such fault.
func (s *Server) Inject(f Fault) (id string) {
	if err := f.check(); err != nil {
		panic("cassim: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastFault++
	added := &injected{Fault: f, id: strconv.Itoa(s.lastFault), left: f.Times, lifted: make(chan struct{})}
	if f.Times == 0 {
		added.left = 1
	}
	s.faults = append(s.faults, added)
	return added.id
}

// Faults returns the faults that are pending, in the order of their injection.
func (s *Server) Faults() []PendingFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := []PendingFault{}
	for _, f := range s.faults {
		pending = append(pending, PendingFault{f.id, f.Fault, f.left, f.hanging})
	}
	return pending
}

// Lift ends a fault, and tells whether it was pending. Calls that hang in it are released. When Lift returns, the calls
// to be executed late have been executed: so it must not be called by a hook of such a call.
func (s *Server) Lift(id string) bool {
	return s.lift(func(f *injected) bool { return f.id == id }) > 0
}

// LiftFaults ends all faults as Lift does.
func (s *Server) LiftFaults() {
	s.lift(func(*injected) bool { return true })
}

func (s *Server) lift(matches func(*injected) bool) int {
	var ended []*injected
	s.mu.Lock()
	s.faults = slices.DeleteFunc(s.faults, func(f *injected) bool {
		if !matches(f) {
			return false
		}
		ended = append(ended, f)
		close(f.lifted)
		return true
	})
	s.mu.Unlock()
	for _, f := range ended {
		f.woken.Wait()
	}
	return len(ended)
}

// takeFault returns the fault that befalls this call, or nil.
func (s *Server) takeFault(action string) *injected {
	i := slices.IndexFunc(s.faults, func(f *injected) bool { return f.befalls(action) })
	if i < 0 {
		return nil
	}
	taken := s.faults[i]
	if taken.left > 0 {
		taken.left--
	}
	if taken.Kind == Hang {
		s.beginHang(taken)
	}
	s.dropSpent()
	return taken
}

// Counts the call if it is one of the fault's action, and says whether the fault befalls it.
func (f *injected) befalls(action string) bool {
	if f.left == 0 || (f.Action != "" && f.Action != action) {
		return false
	}
	f.seen++
	return f.seen%max(f.Every, 1) == 0
}

// Forgets faults that can befall no more calls. Keeps one in which calls hang, so that it can be lifted.
func (s *Server) dropSpent() {
	s.faults = slices.DeleteFunc(s.faults, func(f *injected) bool { return f.left == 0 && f.hanging == 0 })
}
