// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"sync"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// inFlight is how many orders the manager submits at a time.
const inFlight = 10

// barrier lets everybody pass at once, until it is told to hold them.
type barrier struct {
	t *testing.T
	// held has an element for each that has been held.
	held chan struct{}

	mutex sync.Mutex
	// passes is how many are let through before.
	passes int
	// released lets go who is held. It is nil while everybody passes.
	released chan struct{}
}

func newBarrier(t *testing.T) *barrier {
	b := &barrier{t: t, held: make(chan struct{}, 10000)}
	t.Cleanup(b.release)
	return b
}

// pass returns when the way is free.
func (b *barrier) pass() {
	if released := b.closed(); released != nil {
		b.held <- struct{}{}
		<-released
	}
}

func (b *barrier) closed() chan struct{} {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.passes > 0 {
		b.passes--
		return nil
	}
	return b.released
}

// hold lets the next pass, and holds all others. Those held before go.
func (b *barrier) hold(after int) {
	b.release()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.passes, b.released = after, make(chan struct{})
}

// release lets everybody go.
func (b *barrier) release() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.released != nil {
		close(b.released)
	}
	b.passes, b.released = 0, nil
}

// holdsAll waits until inFlight more are held.
func (b *barrier) holdsAll() {
	b.t.Helper()
	for i := range inFlight {
		select {
		case <-b.held:
		case <-time.After(env.Patience):
			b.t.Fatalf("%d are held, want %d", i, inFlight)
		}
	}
}
