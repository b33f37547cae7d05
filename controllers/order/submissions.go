// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"sync"

	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// SubmissionGrace is how long a process that is to end stays for answers that may carry an order's id: long enough to
// write an intent, to make its call, and to write what came of it.
const SubmissionGrace = intentBound + source.BuyBound + recordBound

// Submissions counts the submissions in flight, so that the process does not end while CAS may be answering one: the
// answer is the only place where the order's id stands.
type Submissions struct {
	mutex    sync.Mutex
	inFlight int
	draining chan struct{}
	closed   bool
}

// Returns false if the process is about to end. After true, the caller must call end once the id is written.
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
