// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"maps"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// Registry is every source that this build has. Validation of the API sees to it that a spec names one source.
type Registry []Source

// Of returns the source that a spec names. If this build does not have it, that sells nothing.
func (r Registry) Of(spec v1alpha1.Source) Source {
	for _, source := range r {
		if source.Sells(spec) {
			return source
		}
	}
	return none{}
}

// Offer returns what is sold by a spec.
func (r Registry) Offer(spec v1alpha1.Source) Offer { return r.Of(spec).Offer(spec) }

// Open begins a run at the source that the Order was made for.
func (r Registry) Open(ask Ask) (Session, error) { return r.Of(ask.Order.Spec.Source).Open(ask) }

// Forget drops what is remembered of an Order.
func (r Registry) Forget(order types.UID) {
	for _, source := range r {
		source.Forget(order)
	}
}

// Indexes returns the indexes of all sources.
func (r Registry) Indexes() map[string]client.IndexerFunc {
	all := map[string]client.IndexerFunc{}
	for _, source := range r {
		maps.Copy(all, source.Indexes())
	}
	return all
}
