// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"sync"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// workers is how many objects of a kind are worked on at once. Most of a run is waiting for an answer.
	workers = 40
	// share is how many of them one namespace can have. Whoever may write in a namespace decides how long its runs wait:
	// its endpoints and name servers may accept every call and answer none.
	share = 10
)

// fairQueue hands out what is due so that no namespace has more than its share of the workers, and that namespaces take
// turns. It makes no difference to what is queued, when, and how often.
type fairQueue struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	lanes *lanes
}

// newFairQueue returns the queue of a controller. It has no priorities, unlike the one that controller-runtime would make:
// those come from one line for all.
func newFairQueue(controller string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	lanes := &lanes{due: map[string][]reconcile.Request{}, busy: map[string]int{}}
	queue := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[reconcile.Request]{Name: controller, Queue: lanes})
	delaying := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[reconcile.Request]{Name: controller, Queue: queue})
	return &fairQueue{
		lanes:                      lanes,
		TypedRateLimitingInterface: workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[reconcile.Request]{DelayingQueue: delaying}),
	}
}

// Done gives the worker back. Nobody has to be woken for what waits for a worker of the namespace: the worker that calls
// this asks for its next item right away.
func (q *fairQueue) Done(item reconcile.Request) {
	q.lanes.leave(item)
	q.TypedRateLimitingInterface.Done(item)
}

// lanes are what is due, a line for each namespace. They are the storage of a work queue.
type lanes struct {
	mutex sync.Mutex
	// due is what waits for a worker, and busy is how many workers there are with the namespace.
	due  map[string][]reconcile.Request
	busy map[string]int
	// turns are the namespaces that wait for a worker and may have one, in the order in which they get it.
	turns []string
}

var _ workqueue.Queue[reconcile.Request] = (*lanes)(nil)

// lane is the namespace. What has none is on its own: others do not decide how long it waits.
func lane(item reconcile.Request) string { return cmp.Or(item.Namespace, "/"+item.Name) }

// Touch implements workqueue.Queue: what is added again keeps its place.
func (*lanes) Touch(reconcile.Request) {}

// Push implements workqueue.Queue.
func (l *lanes) Push(item reconcile.Request) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	in := lane(item)
	l.due[in] = append(l.due[in], item)
	if len(l.due[in]) == 1 && l.busy[in] < share {
		l.turns = append(l.turns, in)
	}
}

// Len implements workqueue.Queue, which asks whether there is anything to pop. What waits for its share does not count.
func (l *lanes) Len() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.turns)
}

// Pop implements workqueue.Queue.
func (l *lanes) Pop() reconcile.Request {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	in := l.turns[0]
	l.turns = l.turns[1:]
	item := l.due[in][0]
	l.due[in] = l.due[in][1:]
	l.busy[in]++
	switch {
	case len(l.due[in]) == 0:
		delete(l.due, in)
	case l.busy[in] < share:
		l.turns = append(l.turns, in)
	}
	return item
}

// leave ends what Pop began.
func (l *lanes) leave(item reconcile.Request) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	in := lane(item)
	if l.busy[in] == share && len(l.due[in]) > 0 {
		l.turns = append(l.turns, in)
	}
	if l.busy[in]--; l.busy[in] == 0 {
		delete(l.busy, in)
	}
}
