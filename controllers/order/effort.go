// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// leastTries is how often something must have been tried before it is given up.
const leastTries = 3

// effort is what this process has tried: how often, and since when. A bound on it ends what nobody can carry out. The
// time since a stored moment would not do: it passes while nobody tries, and the first try after a downtime would be
// the last.
type effort struct {
	bound time.Duration
	since time.Time
	tries int
}

// Returns how long ago the first try was.
func (e effort) age(now time.Time) time.Duration {
	if e.tries == 0 {
		return 0
	}
	return now.Sub(e.since)
}

// Says whether enough was tried, for long enough.
func (e effort) isSpent(now time.Time) bool { return e.tries >= leastTries && e.age(now) >= e.bound }

// Returns how long to wait before the next try: longer with the age of the effort, but not past its bound.
func (e effort) delay(now time.Time) time.Duration {
	d := jitter(min(max(e.age(now), pollFirst), time.Minute))
	if left := e.bound - e.age(now); left > 0 {
		d = min(d, left)
	}
	return d
}

// efforts remembers the efforts for each order. A process that starts begins all of them anew. The zero value is empty.
// It is safe for concurrent use.
type efforts struct {
	mutex sync.Mutex
	made  map[types.UID]map[activity]effort
}

// Counts a try that did not succeed, and returns the effort with it. A throttle does not count: the service is well,
// and asks for nothing but patience. With another bound, the effort begins anew: what was tried in hope of more time
// says little about a bound that was shortened since.
func (e *efforts) tried(order types.UID, a activity, bound time.Duration, now time.Time, err error) effort {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	made := e.made[order][a]
	if made.bound != bound {
		made = effort{bound: bound}
	}
	if isThrottle(err) {
		return made
	}
	if made.tries == 0 {
		made.since = now
	}
	made.tries++
	if e.made == nil {
		e.made = map[types.UID]map[activity]effort{}
	}
	if e.made[order] == nil {
		e.made[order] = map[activity]effort{}
	}
	e.made[order][a] = made
	return made
}

// Forgets an effort that is over, so that the next one of its kind begins anew.
func (e *efforts) end(order types.UID, a activity) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	delete(e.made[order], a)
}

// forget drops all efforts for an order.
func (e *efforts) forget(order types.UID) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	delete(e.made, order)
}

// isThrottle says that a server has refused a call only because there were too many of them.
func isThrottle(err error) bool { return rpc.IsThrottled(err) || apierrors.IsTooManyRequests(err) }
