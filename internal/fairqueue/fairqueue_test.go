// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package fairqueue

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func newQueue(t *testing.T) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	queue := newFairQueue("", Options().RateLimiter)
	t.Cleanup(queue.ShutDown)
	return queue
}

func due(namespace string, n int) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: fmt.Sprintf("n%03d", n)}}
}

func add(queue workqueue.TypedRateLimitingInterface[reconcile.Request], namespace string, n int) {
	for i := range n {
		queue.Add(due(namespace, i))
	}
}

// Returns what a worker gets if it asks now, or the zero value for nothing.
func take(queue workqueue.TypedRateLimitingInterface[reconcile.Request]) reconcile.Request {
	if queue.Len() == 0 {
		return reconcile.Request{}
	}
	item, _ := queue.Get()
	return item
}

func TestANamespaceHasNoMoreThanItsShareOfTheWorkers(t *testing.T) {
	queue := newQueue(t)
	add(queue, "hangs", 2*share)
	for i := range share {
		if got := take(queue); got != due("hangs", i) {
			t.Fatalf("worker %d gets %v", i, got)
		}
	}
	if got := take(queue); got != (reconcile.Request{}) {
		t.Fatalf("one worker more gets %v", got)
	}
	add(queue, "other", 1)
	if got := take(queue); got != due("other", 0) {
		t.Fatalf("the other namespace has something due, and a worker gets %v", got)
	}
	queue.Done(due("hangs", 0))
	queue.Add(due("hangs", 0))
	if got := take(queue); got != due("hangs", share) {
		t.Errorf("the worker that is done with the namespace gets %v, want what has waited longest", got)
	}
	if got := take(queue); got != (reconcile.Request{}) {
		t.Errorf("after one was done two workers are free for the namespace: %v", got)
	}
}

func TestNamespacesTakeTurns(t *testing.T) {
	queue := newQueue(t)
	add(queue, "a", 3)
	add(queue, "b", 2)
	add(queue, "c", 1)
	var got []reconcile.Request
	for range 6 {
		got = append(got, take(queue))
	}
	want := []reconcile.Request{due("a", 0), due("b", 0), due("c", 0), due("a", 1), due("b", 1), due("a", 2)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the order differs (-want +got):\n%s", diff)
	}
}

func TestWhatHasNoNamespaceHasAShareOfItsOwn(t *testing.T) {
	queue := newQueue(t)
	add(queue, "", 2*share)
	for i := range 2 * share {
		if got := take(queue); got != due("", i) {
			t.Fatalf("worker %d gets %v", i, got)
		}
	}
}

// TestWhateverIsAddedIsWorkedOnAfterwards lets workers and watches race, in more namespaces than there are shares: the
// last word about each object is heard, by one worker at a time, and no namespace has more than its share.
func TestWhateverIsAddedIsWorkedOnAfterwards(t *testing.T) {
	const namespaces, objects, rounds = 7, 40, 20
	queue := newQueue(t)
	var said, heard [namespaces][objects]atomic.Int64
	var busy [namespaces]atomic.Int64
	at := func(item reconcile.Request) (namespace, object int) {
		if _, err := fmt.Sscanf(item.Namespace+" "+item.Name, "%d n%d", &namespace, &object); err != nil {
			panic(err)
		}
		return namespace, object
	}
	var workersEnd, watchesEnd sync.WaitGroup
	changed := make(chan struct{}, 1)
	for range workers {
		workersEnd.Go(func() {
			for item, isOver := queue.Get(); !isOver; item, isOver = queue.Get() {
				namespace, object := at(item)
				if n := busy[namespace].Add(1); n > share {
					t.Errorf("%d workers are with one namespace", n)
				}
				now := said[namespace][object].Load()
				if before := heard[namespace][object].Swap(now); before > now {
					t.Error("two workers are with one object")
				}
				busy[namespace].Add(-1)
				queue.Done(item)
				select {
				case changed <- struct{}{}:
				default:
				}
			}
		})
	}
	for namespace := range namespaces {
		watchesEnd.Go(func() {
			for range rounds {
				for _, object := range rand.Perm(objects) {
					said[namespace][object].Add(1)
					queue.Add(due(fmt.Sprint(namespace), object))
				}
			}
		})
	}
	watchesEnd.Wait()
	isHeard := func() bool {
		for namespace := range namespaces {
			for object := range objects {
				if heard[namespace][object].Load() != said[namespace][object].Load() {
					return false
				}
			}
		}
		return true
	}
	for limit := time.After(time.Minute); !isHeard(); {
		select {
		case <-changed:
		case <-limit:
			t.Fatal("something that was added is not worked on")
		}
	}
	queue.ShutDown()
	workersEnd.Wait()
}
