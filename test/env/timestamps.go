// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// OneClock replaces the times at which objects were created and deleted, for everybody, by the time of the Env's clock
// at which that was first seen. The API server stamps objects with its own time, which hours later on the Env's clock
// would be long ago. OneClock is called once, after New.
func (e *Env) OneClock() {
	s := &stamps{clock: e.Clock, created: map[types.UID]metav1.Time{}, deleted: map[types.UID]metav1.Time{}}
	e.Client = interceptor.NewClient(e.Client, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object,
			opts ...client.GetOption) error {
			return s.after(c.Get(ctx, key, o, opts...), o)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if err := c.List(ctx, list, opts...); err != nil {
				return err
			}
			return meta.EachListItem(list, func(o runtime.Object) error { return s.after(nil, o.(client.Object)) })
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return s.after(c.Create(ctx, o, opts...), o)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch,
			opts ...client.PatchOption) error {
			return s.after(c.Patch(ctx, o, patch, opts...), o)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch,
			opts ...client.SubResourcePatchOption) error {
			return s.after(c.SubResource(sub).Patch(ctx, o, patch, opts...), o)
		},
	})
	e.counted = e.counting(e.Client)
	e.Restart()
}

// stamps are the times at which objects were first seen to exist, and to be deleted.
type stamps struct {
	clock            clock.PassiveClock
	mutex            sync.Mutex
	created, deleted map[types.UID]metav1.Time
}

func (s *stamps) after(err error, o client.Object) error {
	if err != nil || o.GetUID() == "" {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	o.SetCreationTimestamp(s.first(s.created, o.GetUID()))
	if o.GetDeletionTimestamp() != nil {
		at := s.first(s.deleted, o.GetUID())
		o.SetDeletionTimestamp(&at)
	}
	return nil
}

func (s *stamps) first(times map[types.UID]metav1.Time, uid types.UID) metav1.Time {
	if _, isKnown := times[uid]; !isKnown {
		times[uid] = metav1.NewTime(s.clock.Now().Truncate(time.Second))
	}
	return times[uid]
}
