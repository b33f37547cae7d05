// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"context"
	"sync"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

const (
	// renewAhead is how long before the end of a session it is renewed.
	renewAhead = 5 * time.Minute
	// endMargin is how long before its end a session is not used any more: a call takes time, and clocks differ.
	endMargin = 30 * time.Second
	// renewPause is the shortest time between two renewals of a session, whatever became of the first: a failure must
	// not be repeated by every order that waits, nor a refusal.
	renewPause = 10 * time.Second
	// sessionLifetime is how long a session is kept that nobody uses.
	sessionLifetime = 2 * time.Hour
)

// source has temporary keys. It is asked by one goroutine at a time.
type source interface {
	// fetch returns new keys. They may depend on the basis, which are the keys of whoever assumes a role. wasRefused
	// says that what it returned last was not accepted.
	fetch(ctx context.Context, basis rpc.Credentials, wasRefused bool) (sts.Session, error)
}

// sessions keeps temporary keys. The zero value is empty. It is safe for concurrent use.
type sessions struct {
	mutex   sync.Mutex
	entries map[string]*session
}

// session is what is kept of one source. The mutex of sessions guards all of it but the source.
type session struct {
	source source
	// turn is held by the one who renews.
	turn chan struct{}

	sts.Session
	basis      rpc.Credentials
	isRefused  bool
	failure    error
	renewed    time.Time // when it was last tried
	lastUsed   time.Time
	wasRenewed bool
}

// get returns keys that are good, renewed if need be. While somebody else renews what is still good, nobody waits.
func (s *sessions) get(ctx context.Context, now func() time.Time, key string, basis rpc.Credentials, open func() source) (rpc.Credentials, error) {
	e := s.entry(key, now(), open)
	if keys, isFresh, isGood := s.look(e, basis, now()); isFresh {
		return keys, nil
	} else if isGood {
		select {
		case e.turn <- struct{}{}:
			defer func() { <-e.turn }()
		default:
			return keys, nil
		}
	} else {
		select {
		case e.turn <- struct{}{}:
			defer func() { <-e.turn }()
		case <-ctx.Done():
			return rpc.Credentials{}, ctx.Err()
		}
	}
	return s.renew(ctx, e, basis, now)
}

func (s *sessions) entry(key string, now time.Time, open func() source) *session {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for k, e := range s.entries {
		if now.Sub(e.lastUsed) > sessionLifetime {
			delete(s.entries, k)
		}
	}
	e := s.entries[key]
	if e == nil {
		if s.entries == nil {
			s.entries = map[string]*session{}
		}
		e = &session{source: open(), turn: make(chan struct{}, 1)}
		s.entries[key] = e
	}
	e.lastUsed = now
	return e
}

// look tells whether there are keys that need no renewal, or that are good enough should it fail.
func (s *sessions) look(e *session, basis rpc.Credentials, now time.Time) (keys rpc.Credentials, isFresh, isGood bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	left := e.Expires.Sub(now)
	isGood = e.wasRenewed && e.basis == basis && !e.isRefused && left > endMargin
	return e.Keys, isGood && left > renewAhead, isGood
}

// renew is for the holder of the turn. Keys that are past their end are returned until the next try is due, too: by
// another clock they may be good, and if not, the service says so.
func (s *sessions) renew(ctx context.Context, e *session, basis rpc.Credentials, now func() time.Time) (rpc.Credentials, error) {
	keys, isFresh, isGood := s.look(e, basis, now())
	if isFresh {
		return keys, nil
	}
	s.mutex.Lock()
	hasKeys, isEarly, failure, wasRefused := e.wasRenewed && e.basis == basis, !e.renewed.IsZero() && now().Sub(e.renewed) < renewPause, e.failure, e.isRefused
	isEarly = isEarly && e.basis == basis
	s.mutex.Unlock()
	if isEarly {
		if hasKeys && (isGood || failure == nil) {
			return keys, nil
		}
		return rpc.Credentials{}, failure
	}
	given, err := e.source.fetch(ctx, basis, wasRefused)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if ctx.Err() != nil && err != nil {
		return keepGood(keys, isGood, err) // it says nothing about the source
	}
	e.renewed, e.failure = now(), err
	if e.basis != basis {
		e.basis, e.wasRenewed = basis, false
	}
	if err != nil {
		return keepGood(keys, isGood, err)
	}
	e.Session, e.wasRenewed, e.isRefused = given, true, false
	return given.Keys, nil
}

func keepGood(keys rpc.Credentials, isGood bool, err error) (rpc.Credentials, error) {
	if isGood {
		return keys, nil
	}
	return rpc.Credentials{}, err
}

// refuse says that a service did not accept keys: the next call renews them.
func (s *sessions) refuse(keys rpc.Credentials) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, e := range s.entries {
		if e.Keys.AccessKeyID == keys.AccessKeyID {
			e.isRefused = true
		}
	}
}
