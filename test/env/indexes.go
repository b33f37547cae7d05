// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
)

// Copies what is wanted from one list into another, by the indexes of the cache.
func (e *Env) pickAll(list, into client.ObjectList, wanted *client.ListOptions) error {
	items, err := meta.ExtractList(list)
	if err != nil {
		return err
	}
	return meta.SetList(into, slices.DeleteFunc(items, func(o runtime.Object) bool {
		object := o.(client.Object)
		isElsewhere := wanted.Namespace != "" && object.GetNamespace() != wanted.Namespace
		return isElsewhere || wanted.FieldSelector != nil && !e.has(object, wanted.FieldSelector.Requirements())
	}))
}

// Says whether an object is found by each of the fields.
func (e *Env) has(object client.Object, wanted fields.Requirements) bool {
	for _, field := range wanted {
		index, isKnown := e.indexes[field.Field]
		if !isKnown {
			panic("the cache has no index " + field.Field)
		}
		if !slices.Contains(index(object), field.Value) {
			return false
		}
	}
	return true
}

// Returns a field by which a list is selected though only the cache has it, or empty.
func onlyCached(opts []client.ListOption) string {
	wanted := (&client.ListOptions{}).ApplyOptions(opts)
	if wanted.FieldSelector == nil {
		return ""
	}
	for _, field := range wanted.FieldSelector.Requirements() {
		if field.Field == book.IndexRecord || field.Field == book.IndexZone {
			return field.Field
		}
	}
	return ""
}
