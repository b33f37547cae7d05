// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"fmt"
	"net/http"
)

// AwaitHanging waits until at least n calls hang at the same time, or with 0 until none does.
func (s *Server) AwaitHanging(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		hanging, news := 0, s.hung
		for _, f := range s.faults {
			hanging += f.hanging
		}
		s.mu.Unlock()
		if hanging == n || (n > 0 && hanging > n) {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("cassim: %d calls hang, not %d: %w", hanging, n, context.Cause(ctx))
		}
	}
}

// Notes that a call hangs. Must be called under the lock, so that whoever sees the call hang can lift its fault.
func (s *Server) beginHang(f *injected) {
	f.hanging++
	f.woken.Add(1)
	s.announceHang()
}

// Wakes up those who wait for another number of calls that hang.
func (s *Server) announceHang() {
	close(s.hung)
	s.hung = make(chan struct{})
}

// Notes that all is over that came of a call that hung.
func (s *Server) endHang(c *call) {
	if !c.hangs() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.fault.hanging--
	c.fault.woken.Done()
	s.announceHang()
	s.dropSpent()
}

func (c *call) hangs() bool { return c.fault != nil && c.fault.Kind == Hang }

// hang keeps the call back. It returns only if there is something to answer.
func (s *Server) hang(r *http.Request, c *call, truth wire) wire {
	lifted := s.hold(r.Context(), c.fault)
	if lifted && c.fault.Late {
		c.released = true
		truth = s.execute(c, nil)
	}
	if !lifted || (!c.fault.Late && !c.fault.Executed) {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	return truth
}

// Waits until the fault is lifted, the caller goes away or the simulator closes, and says whether it was lifted. If the
// call is to be executed late, does not care about the caller.
func (s *Server) hold(caller context.Context, f *injected) (lifted bool) {
	gone := caller.Done()
	if f.Late {
		gone = nil
	}
	select {
	case <-f.lifted:
		return true
	case <-gone:
	case <-s.closing:
	}
	return false
}
