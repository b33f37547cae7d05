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
	// renewPause is the shortest time between two renewals of a session, whatever became of the first: after a failure
	// or a refusal, not every order that waits may renew it again.
	renewPause = 10 * time.Second
	// sessionLifetime is how long an unused session is kept.
	sessionLifetime = 2 * time.Hour
)

// source has temporary keys. It is asked by one goroutine at a time.
type source interface {
	// fetch returns new keys. wasRefused says that what it returned last was not accepted.
	fetch(ctx context.Context, wasRefused bool) (sts.Session, error)
}

// sessionKey is the same for those who may share a session.
type sessionKey struct {
	// from names all that the session comes from, except for the basis.
	from string
	// basis are the keys that a role is assumed with. Rotated keys begin a new session.
	basis rpc.Credentials
}

// sessions keeps temporary keys. The zero value is empty. It is safe for concurrent use.
type sessions struct {
	mutex   sync.Mutex
	entries map[sessionKey]*session
}

// session is what is kept of one source. The mutex of sessions guards all of it but the source.
type session struct {
	source source
	// turn is held by the goroutine that renews.
	turn chan struct{}

	sts.Session
	isRefused bool
	tried     time.Time // when a renewal ended last
	failure   error     // the error of that renewal, or nil
	lastUsed  time.Time
}

// isGood tells whether the keys may be used for a while.
func (e *session) isGood(now time.Time) bool { return !e.isRefused && e.Expires.Sub(now) > endMargin }

// isFresh tells whether they need no renewal yet.
func (e *session) isFresh(now time.Time) bool {
	return e.isGood(now) && e.Expires.Sub(now) > renewAhead
}

// isDue tells whether it is time for a renewal.
func (e *session) isDue(now time.Time) bool {
	return !e.isFresh(now) && (e.tried.IsZero() || now.Sub(e.tried) >= renewPause)
}

// Returns the keys that the last renewal has left, or its error if they are not good. If it succeeded, returns even
// keys that are past their end: by another clock they may be good, and if not, the service says so.
func (e *session) known(now time.Time) (rpc.Credentials, error) {
	if e.isGood(now) || e.failure == nil {
		return e.Keys, nil
	}
	return rpc.Credentials{}, e.failure
}

// Returns good keys, renewed if need be. Only the first source that is given for a key is ever asked. While one
// goroutine renews keys that are still good, the others use them and do not wait.
func (s *sessions) get(ctx context.Context, now func() time.Time, key sessionKey,
	from source) (rpc.Credentials, error) {
	e := s.entry(key, now(), from)
	keys, isGood, isFresh := s.look(e, now())
	switch {
	case isFresh:
		return keys, nil
	case isGood:
		select {
		case e.turn <- struct{}{}:
		default:
			return keys, nil
		}
	default:
		select {
		case e.turn <- struct{}{}:
		case <-ctx.Done():
			return rpc.Credentials{}, ctx.Err()
		}
	}
	defer func() { <-e.turn }()
	return s.renew(ctx, now, e)
}

func (s *sessions) entry(key sessionKey, now time.Time, from source) *session {
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
			s.entries = map[sessionKey]*session{}
		}
		e = &session{source: from, turn: make(chan struct{}, 1)}
		s.entries[key] = e
	}
	e.lastUsed = now
	return e
}

func (s *sessions) look(e *session, now time.Time) (keys rpc.Credentials, isGood, isFresh bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return e.Keys, e.isGood(now), e.isFresh(now)
}

// Renews the session if it is still due: another goroutine may have done so while the caller waited for the turn. The
// caller must hold the turn.
func (s *sessions) renew(ctx context.Context, now func() time.Time, e *session) (rpc.Credentials, error) {
	s.mutex.Lock()
	isDue, wasRefused := e.isDue(now()), e.isRefused
	keys, failure := e.known(now())
	s.mutex.Unlock()
	if !isDue {
		return keys, failure
	}
	given, err := e.source.fetch(ctx, wasRefused)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err == nil {
		e.Session, e.isRefused = given, false
	}
	if err == nil || ctx.Err() == nil { // a failure after the caller has gone says nothing about the source
		e.tried, e.failure = now(), err
	}
	if err != nil && !e.isGood(now()) {
		return rpc.Credentials{}, err
	}
	return e.Keys, nil
}

// Notes that a service did not accept the keys, so that the next call renews their session. Returns false if they are
// of no session. Compares all of the keys: their id alone is no secret, and somebody else's wrong copy must not end a
// session.
func (s *sessions) refuse(keys rpc.Credentials) (isSession bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, e := range s.entries {
		if e.Keys == keys.Keys() {
			e.isRefused, isSession = true, true
		}
	}
	return isSession
}
