// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// DefaultRate is the number of calls a second that are made for each API and account. CAS allows 10
	// (https://www.alibabacloud.com/help/ja/ssl-certificate/developer-reference/api-cas-2020-04-07-quota). At exactly
	// ten, uneven delays of the network would bring eleven calls into some second of the service's.
	DefaultRate = 9.5
	// maxBucketWait is the longest that a call sleeps for its turn: a worker is for work.
	maxBucketWait = time.Second
	// bucketLifetime is how long an unused bucket is kept. It is full again long before, so that dropping
	// it changes nothing; keys of temporary credentials come and go by the hour.
	bucketLifetime = 10 * time.Minute
)

// buckets is shared by the whole process, because the service counts the calls of an account, whichever
// issuer made them.
var buckets = bucketSet{entries: map[bucketKey]*bucket{}}

// bucketKey is the same for calls that one server counts together, as far as that can be proven.
type bucketKey struct {
	// realm is that of the endpoint that is called.
	realm string
	// caller is the account, with the realm of the STS that has told it, or else all of the keys. So nobody gets a
	// share in the rate of others by an id that they write into a Secret, or that an STS of their own tells.
	caller    Credentials
	action    string
	perSecond float64
}

type bucket struct {
	limiter  *rate.Limiter
	lastUsed time.Time
}

// bucketSet holds a token bucket for each account and action. Its burst is one call: the service counts by
// the second, and a burst on top of the rate would be refused.
type bucketSet struct {
	mu        sync.Mutex
	entries   map[bucketKey]*bucket
	lastSwept time.Time
}

// wait returns when it is the call's turn. It returns an error of [KindThrottled] if that is more than a
// second away, and one of [KindNetwork] if ctx ends before it.
func (s *bucketSet) wait(ctx context.Context, key bucketKey) *Error {
	delay, giveBack := s.reserve(key, time.Now())
	if delay > maxBucketWait {
		return &Error{
			Kind:       KindThrottled,
			Message:    fmt.Sprintf("held back by our own limit of %g calls a second", key.perSecond),
			RetryAfter: delay,
		}
	}
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		giveBack()
		return contextError(ctx)
	}
}

// Returns how far away the next turn is, and takes it unless it is too far. A turn that is taken can be given back.
// Gives a turn that is too far back under the lock: if others were taken in between, it would be lost, and the calls
// that are turned away would hold up those that come later.
func (s *bucketSet) reserve(key bucketKey, now time.Time) (delay time.Duration, giveBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	entry, ok := s.entries[key]
	if !ok {
		entry = &bucket{limiter: rate.NewLimiter(rate.Limit(key.perSecond), 1)}
		s.entries[key] = entry
	}
	entry.lastUsed = now
	reservation := entry.limiter.ReserveN(now, 1)
	delay = reservation.DelayFrom(now)
	if delay > maxBucketWait {
		reservation.CancelAt(now)
	}
	return delay, reservation.Cancel
}

// sweep drops the buckets that nobody uses any more.
func (s *bucketSet) sweep(now time.Time) {
	if now.Sub(s.lastSwept) < bucketLifetime {
		return
	}
	s.lastSwept = now
	for key, entry := range s.entries {
		if now.Sub(entry.lastUsed) >= bucketLifetime {
			delete(s.entries, key)
		}
	}
}
