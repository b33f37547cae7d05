// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Interruption is what can happen at a point.
type Interruption string

// The interruptions. A crash takes all memory; after it, nothing of the run has any effect.
const (
	CrashBefore Interruption = "a crash before it"
	CrashAfter  Interruption = "a crash after it took effect"
	ReplyLost   Interruption = "its reply lost"
	Transient   Interruption = "a transient error"
)

// Interruptions are all of them.
var Interruptions = []Interruption{CrashBefore, CrashAfter, ReplyLost, Transient}

// Points are the moments of a life at which something can be lost: every call to Alibaba Cloud, every other call that
// changes something outside of the cluster, and every write to the API server. Each has a name, and the number of its
// occurrence. The zero value records nothing.
type Points struct {
	mutex     sync.Mutex
	isTracing bool
	isPaused  bool
	trace     []string
	seen      map[string]int
	target    string
	kind      Interruption
	isHit     bool
	isCrashed bool
	// afterCall is the interruption of the call that is being executed.
	afterCall Interruption
}

// Trace begins to record, and to interrupt: at the target, if there is one.
func (p *Points) Trace(target string, kind Interruption) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.isTracing, p.trace, p.seen = true, nil, map[string]int{}
	p.target, p.kind, p.isHit = target, kind, false
}

// Seen returns the points that were passed, in their order.
func (p *Points) Seen() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.trace
}

// Hit says that the interruption has happened.
func (p *Points) Hit() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.isHit
}

// pass returns the interruption of this point, or "".
func (p *Points) pass(name string) (kind Interruption, isCrashed bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.isTracing || p.isPaused || p.isCrashed {
		return "", p.isCrashed
	}
	p.seen[name]++
	point := fmt.Sprintf("%s #%d", name, p.seen[name])
	p.trace = append(p.trace, point)
	if point != p.target || p.isHit {
		return "", false
	}
	p.isHit = true
	return p.kind, false
}

// pause lets a run pass no points: the checks of issuers come when they come, and no order waits for what they write.
func (p *Points) pause(run func()) {
	set := func(isPaused bool) {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.isPaused = isPaused
	}
	set(true)
	defer set(false)
	run()
}

func (p *Points) paused() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.isPaused
}

func (p *Points) crash() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.isCrashed = true
}

func (p *Points) restart() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.isCrashed = false
}

func (p *Points) hasCrashed() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.isCrashed
}

// Says whether a reconciler may return an error.
func (p *Points) expectsErrors() bool { return p.Hit() }

// errCrash unwinds what a crash ends.
var errCrash = errors.New("the process has crashed")

// survive runs a reconciler, and restarts after it if it has crashed.
func (p *Points) survive(restart, run func()) {
	defer func() {
		if cause := recover(); cause != nil && cause != any(errCrash) {
			panic(cause)
		}
		if p.hasCrashed() {
			restart()
		}
	}()
	run()
}

// write is a point at the API server.
func (p *Points) write(name string, do func() error) error {
	kind, isCrashed := p.pass(name)
	if isCrashed || kind == CrashBefore {
		p.crash()
		panic(errCrash)
	}
	if kind == Transient {
		return apierrors.NewInternalError(errors.New("the API server has a bad moment"))
	}
	err := do()
	switch kind {
	case CrashAfter:
		p.crash()
		panic(errCrash)
	case ReplyLost:
		return apierrors.NewTimeoutError("the API server did not answer in time", 1)
	default:
		return err
	}
}

// Arrives is a point at which a call reaches a server outside of the cluster, which drops it if told so. What arrives
// after a crash was never sent.
func (p *Points) Arrives(name string) (drop bool) {
	kind, isCrashed := p.pass(name)
	if isCrashed {
		return true
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.isCrashed, p.afterCall = kind == CrashBefore, kind
	return kind == CrashBefore || kind == Transient
}

// Answers is a point before the server answers the call that arrived. The server does not answer if told so.
func (p *Points) Answers() (drop bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	kind := p.afterCall
	p.afterCall = ""
	p.isCrashed = p.isCrashed || kind == CrashAfter
	return kind == CrashAfter || kind == ReplyLost
}

// Transport makes a point of each request that is posted through next.
func (p *Points) Transport(next http.RoundTripper) http.RoundTripper { return &transport{p, next} }

type transport struct {
	points *Points
	next   http.RoundTripper
}

var errDropped = errors.New("the connection broke")

// RoundTrip loses the request or its answer, if one is to be lost.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost {
		return t.next.RoundTrip(r)
	}
	if t.points.Arrives("POST " + path.Base(r.URL.Path)) {
		return nil, errDropped
	}
	resp, err := t.next.RoundTrip(r)
	if t.points.Answers() {
		if err == nil {
			_ = resp.Body.Close() // it is lost
		}
		return nil, errDropped
	}
	return resp, err
}
