// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// alone lets the namespaces be all of the cluster. So tests do not wade through the Orders of each other, and a read is
// answered as it was before, until somebody writes to that kind through Client: a life mostly reads what has not
// changed, and would keep the API server busy with nothing else. Nobody else may write to the namespaces.
func (e *Env) alone() {
	m := &memory{answers: map[string]map[string]remembered{}}
	e.Client = interceptor.NewClient(e.Client, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			list := listOf(o)
			if list == nil || !slices.Contains(e.namespaces, key.Namespace) {
				return m.read(o, key.String(), func() error { return c.Get(ctx, key, o, opts...) })
			}
			all := &client.ListOptions{Namespace: key.Namespace}
			if err := m.read(list, fmt.Sprintf("%+v", *all), func() error { return c.List(ctx, list, all) }); err != nil {
				return err
			}
			return pickFrom(list, key, o)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			wanted := (&client.ListOptions{}).ApplyOptions(opts)
			return e.listAll(list, wanted, func() error {
				return m.read(list, fmt.Sprintf("%+v", *wanted), func() error { return c.List(ctx, list, wanted) })
			})
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			defer m.forget(o)
			return c.Create(ctx, o, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			defer m.forget(o)
			return c.Delete(ctx, o, opts...)
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteAllOfOption) error {
			defer m.forget(o)
			return c.DeleteAllOf(ctx, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			defer m.forget(o)
			return c.Update(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			defer m.forget(o)
			return c.Patch(ctx, o, patch, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			defer m.forget(o)
			return c.SubResource(sub).Update(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			defer m.forget(o)
			return c.SubResource(sub).Patch(ctx, o, patch, opts...)
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			defer m.forget(&cmapi.CertificateRequest{})
			return c.SubResource(sub).Apply(ctx, o, opts...)
		},
	})
}

// listAll reads a list, of each namespace where none is wanted.
func (e *Env) listAll(list client.ObjectList, wanted *client.ListOptions, read func() error) error {
	if _, isClusters := list.(*v1alpha1.AliyunClusterIssuerList); isClusters || wanted.Namespace != "" {
		return read()
	}
	var all []runtime.Object
	for _, wanted.Namespace = range e.namespaces {
		if err := read(); err != nil {
			return err
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			return err
		}
		all = append(all, items...)
	}
	return meta.SetList(list, all)
}

// listOf is for a kind of which there are many, and of which one list answers all questions until the next write.
func listOf(o client.Object) client.ObjectList {
	switch o.(type) {
	case *v1alpha1.AliyunOrder:
		return &v1alpha1.AliyunOrderList{}
	case *cmapi.CertificateRequest:
		return &cmapi.CertificateRequestList{}
	default:
		return nil
	}
}

func pickFrom(list client.ObjectList, key client.ObjectKey, into client.Object) error {
	isFound := false
	err := meta.EachListItem(list, func(item runtime.Object) error {
		if client.ObjectKeyFromObject(item.(client.Object)) == key {
			reflect.ValueOf(into).Elem().Set(reflect.ValueOf(item).Elem())
			isFound = true
		}
		return nil
	})
	if err == nil && !isFound {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	return err
}

// memory holds answers of the API server since the last write to their kind.
type memory struct {
	mutex   sync.Mutex
	answers map[string]map[string]remembered
}

type remembered struct {
	object runtime.Object
	err    error
}

// kindOf is the same for an object and for a list of them.
func kindOf(o runtime.Object) string { return strings.TrimSuffix(fmt.Sprintf("%T", o), "List") }

func (m *memory) read(into runtime.Object, which string, ask func() error) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	question := fmt.Sprintf("%T %s", into, which)
	if answer, isKnown := m.answers[kindOf(into)][question]; isKnown {
		reflect.ValueOf(into).Elem().Set(reflect.ValueOf(answer.object.DeepCopyObject()).Elem())
		return answer.err
	}
	err := ask()
	if m.answers[kindOf(into)] == nil {
		m.answers[kindOf(into)] = map[string]remembered{}
	}
	m.answers[kindOf(into)][question] = remembered{into.DeepCopyObject(), err}
	return err
}

func (m *memory) forget(written runtime.Object) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	delete(m.answers, kindOf(written))
}
