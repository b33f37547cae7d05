// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package fairqueue gives each namespace its share of a controller's workers
// (docs/design/0006-a-share-of-the-workers.md).
package fairqueue

import (
	"cmp"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// workers is how many objects of a kind are worked on at once. Most of a run is waiting for an answer.
	workers = 40
	// share is how many of them one namespace can have. Whoever may write in a namespace decides how long its runs
	// wait: its endpoints and name servers may accept every call and answer none.
	share = 10
)

// Options returns the options of all controllers: how many objects are worked on at once, and in which order.
func Options() controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		NewQueue:                newFairQueue,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
			time.Second, 5*time.Minute),
	}
}

// fairQueue hands out what is due so that no namespace has more than its share of the workers, and that namespaces take
// turns. It does not change what is queued, when, and how often.
type fairQueue struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	lanes *lanes
}

// newFairQueue returns the queue of a controller. It has no priorities, unlike controller-runtime's own: for these, all
// namespaces would have to stand in one line.
func newFairQueue(controller string,
	limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	lanes := &lanes{due: map[string][]reconcile.Request{}, busy: map[string]int{}}
	queue := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[reconcile.Request]{Name: controller, Queue: lanes})
	delaying := workqueue.NewTypedDelayingQueueWithConfig(
		workqueue.TypedDelayingQueueConfig[reconcile.Request]{Name: controller, Queue: queue})
	return &fairQueue{
		lanes: lanes,
		TypedRateLimitingInterface: workqueue.NewTypedRateLimitingQueueWithConfig(
			limiter, workqueue.TypedRateLimitingQueueConfig[reconcile.Request]{DelayingQueue: delaying}),
	}
}

// Done gives the worker back. It need not wake a worker for an item that waits for the namespace's share: the worker
// that calls Done asks for its next item right away.
func (q *fairQueue) Done(item reconcile.Request) {
	q.lanes.leave(item)
	q.TypedRateLimitingInterface.Done(item)
}

// lanes hold what is due, in a line for each namespace. They are the storage of a work queue.
type lanes struct {
	mutex sync.Mutex
	// due holds what waits for a worker, and busy counts the workers that are at work, both by lane.
	due  map[string][]reconcile.Request
	busy map[string]int
	// turns are the lanes that wait for a worker and may have one, in the order in which they get it.
	turns []string
}

var _ workqueue.Queue[reconcile.Request] = (*lanes)(nil)

// Returns the lane of an item: its namespace. An object without a namespace has a lane of its own: others do not decide
// how long it waits.
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

// Len implements workqueue.Queue, which asks whether there is anything to pop. A lane that has its full share of
// workers does not count.
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
