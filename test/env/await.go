// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Await waits until isDone returns true. It calls isDone at once with nil, and then with each object of the kind that
// exists or changes. Await gives up, and returns false, when none changes for Patience, or when gone is closed. It
// begins a watch again that a busy API server ended because its reader was slow.
func Await(t *testing.T, c client.WithWatch, kind client.ObjectList, gone <-chan struct{},
	isDone func(runtime.Object) bool, opts ...client.ListOption) bool {
	t.Helper()
	begin := func() watch.Interface {
		changes, err := c.Watch(t.Context(), kind, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	changes := begin()
	defer func() { changes.Stop() }()
	for limit, changed := time.Now().Add(Patience), runtime.Object(nil); !isDone(changed); {
		select {
		case event, isOpen := <-changes.ResultChan():
			if isOpen {
				limit, changed = time.Now().Add(Patience), event.Object
			} else {
				changes = begin()
			}
		case <-gone:
			return false
		case <-time.After(time.Until(limit)):
			return false
		}
	}
	return true
}
