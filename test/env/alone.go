// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Alone lets the namespace be all of the cluster. So tests that go on side by side do not wade through each other's
// Orders, and a read is answered as it was before, until somebody writes through Client: a long life mostly reads what
// has not changed. Nobody else may write to the namespace. It is called before OneClock.
func (e *Env) Alone() {
	m := &memory{}
	e.Client = interceptor.NewClient(e.Client, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			return m.read(fmt.Sprintf("%T %s", o, key), o, func() error { return c.Get(ctx, key, o, opts...) })
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			wanted := (&client.ListOptions{Namespace: e.Namespace}).ApplyOptions(opts)
			if _, isClusters := list.(*v1alpha1.AliyunClusterIssuerList); isClusters {
				wanted.Namespace = ""
			}
			return m.read(fmt.Sprintf("%T %+v", list, *wanted), list, func() error { return c.List(ctx, list, wanted) })
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			defer m.forget()
			return c.Create(ctx, o, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			defer m.forget()
			return c.Delete(ctx, o, opts...)
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteAllOfOption) error {
			defer m.forget()
			return c.DeleteAllOf(ctx, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			defer m.forget()
			return c.Update(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			defer m.forget()
			return c.Patch(ctx, o, patch, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			defer m.forget()
			return c.SubResource(sub).Update(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			defer m.forget()
			return c.SubResource(sub).Patch(ctx, o, patch, opts...)
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			defer m.forget()
			return c.SubResource(sub).Apply(ctx, o, opts...)
		},
	})
	e.counted = e.counting(e.Client)
	e.Restart()
}

// memory holds answers of the API server since the last write.
type memory struct {
	mutex   sync.Mutex
	answers map[string]remembered
}

type remembered struct {
	object runtime.Object
	err    error
}

func (m *memory) read(question string, into runtime.Object, ask func() error) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if answer, isKnown := m.answers[question]; isKnown {
		reflect.ValueOf(into).Elem().Set(reflect.ValueOf(answer.object.DeepCopyObject()).Elem())
		return answer.err
	}
	err := ask()
	if m.answers == nil {
		m.answers = map[string]remembered{}
	}
	m.answers[question] = remembered{into.DeepCopyObject(), err}
	return err
}

func (m *memory) forget() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.answers = nil
}
