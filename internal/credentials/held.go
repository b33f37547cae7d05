// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Needs are the parts of Secrets that a holder's calls are signed with, all in one namespace.
type Needs struct {
	Namespace  string
	AccessKeys []v1alpha1.AccessKeySecretRef
	Values     []v1alpha1.SecretKeyReference
}

// Hold makes the Store remember, for [Last], what it reads of these Secrets from now on, until their last holder drops
// them. Nothing else is remembered: to name a Secret in an issuer does not keep its keys in memory.
func (s *Store) Hold(holder types.UID, needs Needs) {
	for _, ref := range needs.AccessKeys {
		s.keys.hold(reference[v1alpha1.AccessKeySecretRef]{needs.Namespace, ref}, holder)
	}
	for _, ref := range needs.Values {
		s.values.hold(reference[v1alpha1.SecretKeyReference]{needs.Namespace, ref}, holder)
	}
}

// Drop ends all that the holder holds.
func (s *Store) Drop(holder types.UID) {
	s.keys.drop(holder)
	s.values.drop(holder)
}

// reference is a part of a Secret.
type reference[R comparable] struct {
	namespace string
	ref       R
}

// held remembers what was read last of those parts of Secrets that somebody holds. The zero value is empty. It is safe
// for concurrent use.
type held[R comparable, V any] struct {
	mutex sync.Mutex
	parts map[reference[R]]*part[V]
}

// part is what was read last of a Secret, if anything was, and who holds it.
type part[V any] struct {
	holders map[types.UID]bool
	last    *V
}

func (h *held[R, V]) hold(of reference[R], holder types.UID) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.parts == nil {
		h.parts = map[reference[R]]*part[V]{}
	}
	if h.parts[of] == nil {
		h.parts[of] = &part[V]{holders: map[types.UID]bool{}}
	}
	h.parts[of].holders[holder] = true
}

func (h *held[R, V]) drop(holder types.UID) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for of, p := range h.parts {
		delete(p.holders, holder)
		if len(p.holders) == 0 {
			delete(h.parts, of)
		}
	}
}

func (h *held[R, V]) remember(of reference[R], value V) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if p := h.parts[of]; p != nil {
		p.last = &value
	}
}

func (h *held[R, V]) recall(of reference[R]) (value V, ok bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if p := h.parts[of]; p != nil && p.last != nil {
		return *p.last, true
	}
	return value, false
}
