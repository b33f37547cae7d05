// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	apiwait "k8s.io/apimachinery/pkg/util/wait"

	"github.com/aliyun-issuer/aliyun-issuer/internal/budget"
)

// The waits of the machine. Those for CAS and for people grow with the age of the order's state, which is stored, so
// that a restart changes nothing.
const (
	pollFirst   = 10 * time.Second
	pollLongest = 5 * time.Minute
	// holdFirst and holdLongest bound the wait before something is tried again that a person has to mend.
	holdFirst   = 30 * time.Second
	holdLongest = 10 * time.Minute
	// inDoubt is how long after an intent its call may still be running: the time in which the call may be sent, and
	// its deadline.
	inDoubt = budget.SubmissionLasts
	// heirPatience is how long the order of a deleted request waits for a request that replaces it.
	heirPatience = 30 * time.Second
	// defaultTimeout is how long a domain may take to be validated, and reviewTimeout how long the CA may take then.
	defaultTimeout = 24 * time.Hour
	reviewTimeout  = 72 * time.Hour
	// vanishedAfter and vanishedTimes are for how long, and in how many looks, CAS must not know an order before it
	// counts as gone.
	vanishedAfter = time.Hour
	vanishedTimes = 3
	// endedAfter is for how long CAS must say that an order has ended before that is believed.
	endedAfter = 5 * time.Minute
	// certificateAfter is for how long CAS must give no certificate of an issued order before it counts as having none.
	certificateAfter = time.Hour
	// releaseBound is how long it is tried to give an order back, or to clean up after it. namespaceBound is the same
	// in a namespace that is being deleted, which waits for that.
	releaseBound   = 10 * time.Minute
	namespaceBound = 2 * time.Minute
	// goneAfter is for how long CAS must not know an order that is being given back before it counts as gone: CAS may
	// know a young one only later.
	goneAfter = time.Minute
)

// Returns a wait that grows with the age of what is waited for: as long as that, but at least 10 s and at most 5 min,
// and up to a fifth more.
func pollDelay(age time.Duration) time.Duration {
	return jitter(min(max(age, pollFirst), pollLongest))
}

func holdDelay(age time.Duration) time.Duration {
	return jitter(min(max(age, holdFirst), holdLongest))
}

// Returns the wait before the next look at a Secret, or the next request for a session, that an order waits for: 25 to
// 30 s.
func credentialsRecheck() time.Duration { return jitter(holdFirst * 5 / 6) }

// Adds up to a fifth at random, so that waits do not come in step.
func jitter(d time.Duration) time.Duration {
	return apiwait.Jitter(d, 0.2)
}

// activity is what an order is worked on for.
type activity string

const (
	activitySubmit  activity = "submit"
	activityReuse   activity = "reuse"
	activityAdopt   activity = "adopt"
	activityObserve activity = "observe"
	activityLook    activity = "look"
	activityHeir    activity = "heir"
	activityRelease activity = "release"
	activityGone    activity = "gone"
	activityCleanUp activity = "cleanUp"
)

// pace remembers when an order may ask CAS next, so that being woken costs no call. It is safe for concurrent use.
type pace struct {
	mutex sync.Mutex
	due   map[types.UID]map[activity]time.Time
}

// Returns how long to rest until the activity is due, or zero.
func (p *pace) remaining(order types.UID, a activity, now time.Time) time.Duration {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return max(p.due[order][a].Sub(now), 0)
}

func (p *pace) next(order types.UID, a activity, due time.Time) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.due == nil {
		p.due = map[types.UID]map[activity]time.Time{}
	}
	if p.due[order] == nil {
		p.due[order] = map[activity]time.Time{}
	}
	p.due[order][a] = due
}

func (p *pace) forget(order types.UID) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.due, order)
}

// busy is how long an order rests while somebody else has its claim, or has a call under way that must end first.
const busy = 2 * time.Second
