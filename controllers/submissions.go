// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
)

// Submissions counts the submissions in flight, so that the process does not end while CAS may be answering one: the
// answer is the only place where the order's id stands.
type Submissions struct {
	mutex    sync.Mutex
	inFlight int
	draining chan struct{}
	closed   bool
}

// begin refuses when the process is about to end. Whoever began must call end, once the id is written.
func (s *Submissions) begin() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return false
	}
	s.inFlight++
	return true
}

func (s *Submissions) end() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.inFlight--
	if s.closed && s.inFlight == 0 {
		close(s.draining)
	}
}

// Drain lets no further submission begin, and returns when none is in flight or ctx is over. It is called once.
func (s *Submissions) Drain(ctx context.Context) error {
	s.mutex.Lock()
	s.closed = true
	s.draining = make(chan struct{})
	if s.inFlight == 0 {
		close(s.draining)
	}
	s.mutex.Unlock()
	select {
	case <-s.draining:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
