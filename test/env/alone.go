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
	cmapply "github.com/cert-manager/cert-manager/pkg/client/applyconfigurations/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Lets the namespaces of this Env look like all of the cluster, so that tests do not wade through the Orders of each
// other. A read is answered from memory, which holds what was read before and what the API server has answered to
// writes through Client: a life mostly reads what it knows, and would keep the API server busy with nothing else.
// Nobody else may write to the namespaces.
func (e *Env) alone() {
	m := &memory{answers: map[place]map[string]remembered{}}
	funcs := m.writing()
	funcs.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object,
		opts ...client.GetOption) error {
		all := listOf(o)
		if all == nil || !slices.Contains(e.namespaces, key.Namespace) {
			return m.read(o, key.Namespace, key.Name, func() error { return c.Get(ctx, key, o, opts...) })
		}
		if err := m.readAll(ctx, c, all, key.Namespace); err != nil {
			return err
		}
		return pickFrom(all, key, o)
	}
	funcs.List = func(ctx context.Context, c client.WithWatch, list client.ObjectList,
		opts ...client.ListOption) error {
		wanted := (&client.ListOptions{}).ApplyOptions(opts)
		return e.listAll(list, wanted, func() error {
			if wanted.FieldSelector == nil {
				return m.readAll(ctx, c, list, wanted.Namespace)
			}
			all := list.DeepCopyObject().(client.ObjectList)
			if err := m.readAll(ctx, c, all, wanted.Namespace); err != nil {
				return err
			}
			return e.pickAll(all, list, wanted)
		})
	}
	e.Client = interceptor.NewClient(e.Client, funcs)
}

// Returns a client whose writes make the memory remember their answers, or forget what they may have changed.
func (m *memory) writing() interceptor.Funcs {
	return interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return m.wrote(o, c.Create(ctx, o, opts...))
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			defer m.forget(o, o.GetNamespace())
			return c.Delete(ctx, o, opts...)
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, o client.Object,
			opts ...client.DeleteAllOfOption) error {
			defer m.forget(o, (&client.DeleteAllOfOptions{}).ApplyOptions(opts).Namespace)
			return c.DeleteAllOf(ctx, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return m.wrote(o, c.Update(ctx, o, opts...))
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch,
			opts ...client.PatchOption) error {
			return m.wrote(o, c.Patch(ctx, o, patch, opts...))
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object,
			opts ...client.SubResourceUpdateOption) error {
			return m.wrote(o, c.SubResource(sub).Update(ctx, o, opts...))
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch,
			opts ...client.SubResourcePatchOption) error {
			return m.wrote(o, c.SubResource(sub).Patch(ctx, o, patch, opts...))
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration,
			opts ...client.SubResourceApplyOption) error {
			defer m.forget(&cmapi.CertificateRequest{},
				*o.(*cmapply.CertificateRequestApplyConfiguration).GetNamespace())
			return c.SubResource(sub).Apply(ctx, o, opts...)
		},
	}
}

// Reads a list. If it is of no namespace, reads one of each namespace of this Env.
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

// Returns an empty list for a kind that each round lists, so that one list answers all questions until the next write,
// and nil for other kinds.
func listOf(o client.Object) client.ObjectList {
	switch o.(type) {
	case *v1alpha1.AliyunOrder:
		return &v1alpha1.AliyunOrderList{}
	case *cmapi.CertificateRequest:
		return &cmapi.CertificateRequestList{}
	case *v1alpha1.AliyunIssuer:
		return &v1alpha1.AliyunIssuerList{}
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

// memory holds answers of the API server until a write to their kind in their namespace whose outcome it cannot tell.
type memory struct {
	mutex   sync.Mutex
	answers map[place]map[string]remembered
}

// place is a kind in a namespace. The namespace is empty for kinds that have none.
type place struct{ kind, namespace string }

type remembered struct {
	object runtime.Object
	err    error
}

// Returns a name of the kind that is the same for an object and for a list of them.
func kindOf(o runtime.Object) string { return strings.TrimSuffix(fmt.Sprintf("%T", o), "List") }

func (m *memory) read(into runtime.Object, namespace, which string, ask func() error) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	where, question := place{kindOf(into), namespace}, fmt.Sprintf("%T %s", into, which)
	if answer, isKnown := m.answers[where][question]; isKnown {
		reflect.ValueOf(into).Elem().Set(reflect.ValueOf(answer.object.DeepCopyObject()).Elem())
		return answer.err
	}
	err := ask()
	if m.answers[where] == nil {
		m.answers[where] = map[string]remembered{}
	}
	m.answers[where][question] = remembered{into.DeepCopyObject(), err}
	return err
}

// Lists a namespace. Makes selections from that one list, since each selection would be a list of its own to the API
// server.
func (m *memory) readAll(ctx context.Context, from client.Reader, into client.ObjectList, namespace string) error {
	return m.read(into, namespace, "", func() error { return from.List(ctx, into, client.InNamespace(namespace)) })
}

// wrote makes the answer to a write part of the list that is remembered, as a watch does. Without an answer, and once
// an object is being deleted, the next read asks the API server. Returns the error of the write.
func (m *memory) wrote(o client.Object, err error) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	where := place{kindOf(o), o.GetNamespace()}
	question := fmt.Sprintf("%T ", listOf(o))
	all, isKnown := m.answers[where][question]
	delete(m.answers, where)
	if isKnown && all.err == nil && err == nil && o.GetDeletionTimestamp() == nil && putInto(all.object, o) {
		m.answers[where] = map[string]remembered{question: all}
	}
	return err
}

// Puts an object into a list, in the order of names, in which the API server lists. Does not if the list has a later
// state of it.
func putInto(list runtime.Object, o client.Object) bool {
	items, err := meta.ExtractList(list)
	if err != nil {
		return false
	}
	kept := o.DeepCopyObject().(client.Object)
	if gvk, err := apiutil.GVKForObject(o, Scheme()); err == nil {
		kept.GetObjectKind().SetGroupVersionKind(gvk) // as items of a list have it
	}
	at, isThere := slices.BinarySearchFunc(items, o.GetName(), func(item runtime.Object, name string) int {
		return strings.Compare(item.(client.Object).GetName(), name)
	})
	if !isThere {
		return meta.SetList(list, slices.Insert(items, at, runtime.Object(kept))) == nil
	}
	order, err := resourceversion.CompareResourceVersion(
		items[at].(client.Object).GetResourceVersion(), o.GetResourceVersion())
	items[at] = kept
	return err == nil && order <= 0 && meta.SetList(list, items) == nil
}

func (m *memory) forget(written runtime.Object, namespace string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	delete(m.answers, place{kindOf(written), namespace})
}
