// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"sync"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

// patience is how long a run may make no progress while another run is held, before it is taken to wait for that one:
// the runs of a process share locks.
const patience = 300 * time.Millisecond

// gate holds one run in the midst of what it does, while the runs of other objects go on, as the workers of a process
// do. The zero value holds nothing.
type gate struct {
	mutex   sync.Mutex
	point   string
	current *running
	held    *running
	wasUsed bool
	passed  int
}

// running is one call of a reconciler.
type running struct {
	object              any // which is reconciled by no other run meanwhile
	atGate, open, ended chan struct{}
	result              ctrl.Result
	err                 error
	panicked            any
}

// Hold holds the next run that comes to the point, which is named as Points names it. It holds the run before a call is
// executed or, after "answer to ", once it was; before a write is made or, after "made: ", once it was; and, for "read
// " and a type, once that was read past the cache. The empty point holds nothing.
func (e *Env) Hold(point string) {
	e.gate.mutex.Lock()
	defer e.gate.mutex.Unlock()
	e.gate.point = point
}

// Held says whether a run is held.
func (e *Env) Held() bool {
	e.gate.mutex.Lock()
	defer e.gate.mutex.Unlock()
	return e.gate.held != nil
}

// LetGo lets the held run go on, and waits for its end. After a crash, the run ends at its next point.
func (e *Env) LetGo() {
	e.T.Helper()
	e.gate.mutex.Lock()
	r := e.gate.held
	e.gate.held, e.gate.point = nil, ""
	e.gate.mutex.Unlock()
	if r == nil {
		return
	}
	close(r.open)
	e.Points.survive(e.Restart, r.await)
}

// Waits for the end of the run, and panics if the run did.
func (r *running) await() {
	<-r.ended
	if r.panicked != nil {
		panic(r.panicked)
	}
}

// reconcile runs a reconciler on an object until it ends, or is held.
func (e *Env) reconcile(object any, reconcile func() (ctrl.Result, error)) (ctrl.Result, error) {
	g := &e.gate
	g.mutex.Lock()
	isIdle := g.held == nil && g.point == ""
	isHeld := g.held != nil && g.held.object == object
	r := &running{object: object, atGate: make(chan struct{}), open: make(chan struct{}), ended: make(chan struct{})}
	g.current = r
	g.mutex.Unlock()
	switch {
	case isHeld:
		return ctrl.Result{}, nil
	case isIdle:
		return reconcile()
	}
	go func() {
		defer close(r.ended)
		defer func() { r.panicked = recover() }()
		r.result, r.err = reconcile()
	}()
	for progress := -1; ; {
		select {
		case <-r.atGate:
			return ctrl.Result{}, nil
		case <-r.ended:
			r.await()
			return r.result, r.err
		case <-time.After(patience):
		}
		if last := progress; e.Held() && g.progress(&progress) == last {
			e.LetGo()
		}
	}
}

// Returns how many points were passed so far.
func (g *gate) progress(now *int) int {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	*now = g.passed
	return *now
}

// Passes a point of the present run, unless that checks an issuer: no order waits for checks.
func (e *Env) passGate(point string) {
	if !e.Points.paused() {
		e.gate.pass(point)
	}
}

// Passes a point of the present run.
func (g *gate) pass(point string) {
	g.mutex.Lock()
	g.passed++
	r := g.current
	if g.point == "" || g.point != point || r == nil {
		g.mutex.Unlock()
		return
	}
	g.point, g.held, g.wasUsed = "", r, true
	g.mutex.Unlock()
	close(r.atGate)
	<-r.open
}

// Says whether a run may end with an error, since another run or a person has come in between.
func (g *gate) expectsErrors() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.wasUsed
}
