// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "time"

type bucketKey struct{ account, action string }

// bucket holds the calls that are left in this second. It fills up steadily, so that jitter never makes it refuse a
// client that spaces its calls evenly.
type bucket struct {
	tokens float64
	at     time.Time
}

// Takes a call from the bucket of the account and action, and says whether none was left. Reads the machine's clock,
// because clients pace themselves by that.
func (s *Server) throttled(c *call) bool {
	rate := c.action.rate
	if s.knobs.Throttling != On || rate == 0 {
		return false
	}
	now := time.Now()
	key := bucketKey{c.account().id, c.action.name}
	b := s.buckets[key]
	if b == nil {
		b = &bucket{tokens: rate, at: now}
		s.buckets[key] = b
	}
	b.tokens = min(rate, b.tokens+now.Sub(b.at).Seconds()*rate)
	b.at = now
	if b.tokens < 1 {
		return true
	}
	b.tokens--
	return false
}

func flowControl() *refusal {
	return badRequest("Throttling.User", "Request was denied due to user flow control.")
}
