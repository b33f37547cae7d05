// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

const (
	// DefaultSettle is how long after a submission without an answer nothing is bought again. A signed call can be
	// executed for 15 minutes, and MinSettle leaves no doubt about that.
	DefaultSettle = 20 * time.Minute
	MinSettle     = 16 * time.Minute
	// listingGap is how far the two listings are apart that must both be without the order.
	listingGap = time.Minute
)

// fieldProductCode is the field by which the Orders of a plan are found, in the cache and past it alike: the CRD makes
// it selectable.
const fieldProductCode = "spec.source.resourcePlan.productCode"

// Source sells from the resource plans of accounts. All fields but Settle are required.
type Source struct {
	// Kube reads by the cache, and writes; APIReader reads past the cache, where a stale answer could cost an order.
	Kube      client.Client
	APIReader client.Reader
	Remote    *access.Remote
	// Cluster tells the orders of this cluster from those of others on the same account, in a tag.
	Cluster string
	// Settle is how long after a submission without an answer nothing is bought again. A value below MinSettle counts
	// as MinSettle.
	Settle time.Duration

	counts counts
	// listings holds the listings that CAS has interrupted by a throttle, by the UID of their Order.
	listings sync.Map
	// firstSeen is when this process first saw a submission without an answer, by the UID of its Order.
	firstSeen sync.Map
}

var _ source.Source = &Source{}

// Sells says whether a spec names a resource plan.
func (*Source) Sells(spec v1alpha1.Source) bool { return spec.ResourcePlan != nil }

// Offer returns what a resource plan sells.
func (s *Source) Offer(spec v1alpha1.Source) source.Offer {
	return offer{ResourcePlan: spec.ResourcePlan, patience: s.settle() + siblingPatience}
}

// Open begins a run of an Order.
func (s *Source) Open(ask source.Ask) (source.Session, error) {
	calls, err := access.ClientOf(s.Remote, ask.Reach, ask.Secrets, cas.New)
	if err != nil {
		return nil, err
	}
	return &session{Source: s, Ask: ask, spec: ask.Order.Spec.Source.ResourcePlan, calls: calls}, nil
}

// Forget drops what is remembered of an Order.
func (s *Source) Forget(order types.UID) {
	s.listings.Delete(order)
	s.firstSeen.Delete(order)
}

// Indexes returns the index by which the Orders of a plan are found.
func (*Source) Indexes() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{fieldProductCode: func(o client.Object) []string {
		if plan := o.(*v1alpha1.AliyunOrder).Spec.Source.ResourcePlan; plan != nil {
			return []string{plan.ProductCode}
		}
		return nil
	}}
}

func (s *Source) settle() time.Duration { return max(s.Settle, MinSettle) }
