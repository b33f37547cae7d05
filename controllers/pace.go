// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// The waits of the machine. Ages are those of the state that is waited in, so that a restart changes nothing.
const (
	pollFirst   = 10 * time.Second
	pollLongest = 5 * time.Minute
	// holdFirst and holdLongest bound how often something is tried again that a person has to mend.
	holdFirst   = 30 * time.Second
	holdLongest = 10 * time.Minute
	// approvalPatience is how long an approver may take before somebody is told that none seems to be there.
	approvalPatience = 5 * time.Minute
	// freshness is how old a request and the Order that this process made for it may be to be submitted without a look
	// at CAS.
	freshness = 2 * time.Minute
	// inDoubt is how long after an intent its call may still be running: the window to send it, and its deadline.
	inDoubt = 65 * time.Second
	// heirPatience is how long the order of a deleted request waits for a request that replaces it.
	heirPatience = 30 * time.Second
	// defaultTimeout is how long a domain may take to be validated, and reviewTimeout how long the CA may take then.
	defaultTimeout = 24 * time.Hour
	reviewTimeout  = 72 * time.Hour
	// vanishedAfter and vanishedTimes are how long, and how often, CAS must not know an order to be believed.
	vanishedAfter = time.Hour
	vanishedTimes = 3
	// endedAfter is for how long CAS must say that an order has ended to be believed.
	endedAfter = 5 * time.Minute
	// releaseBound ends the effort to give an order back, or to clean up after it; namespaceBound does where a namespace
	// waits for that.
	releaseBound   = 10 * time.Minute
	namespaceBound = 2 * time.Minute
	// goneAfter is how long CAS must not know an order that is being given back: it may know a young one only later.
	goneAfter = time.Minute
)

// pollDelay grows with the age of what is waited for: 10 s at first, then doubling, at most 5 min.
func pollDelay(age time.Duration) time.Duration {
	return jitter(min(max(age, pollFirst), pollLongest))
}

func holdDelay(age time.Duration) time.Duration {
	return jitter(min(max(age, holdFirst), holdLongest))
}

// credentialsRecheck is how often a Secret is looked at, or a session asked for, that an order waits for: within 30 s.
func credentialsRecheck() time.Duration { return jitter(holdFirst * 5 / 6) }

// jitter spreads what would otherwise come in step: it adds up to a fifth.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/5+1) //nolint:gosec // no secret depends on it
}

// around spreads evenly to both sides: it is the wait, give or take a fifth.
func around(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*(d/5)+1) //nolint:gosec // no secret depends on it
}

// activity is what an order is worked on for.
type activity string

const (
	activitySubmit  activity = "submit"
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

// remaining is how long to rest until the activity is due, or zero.
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
