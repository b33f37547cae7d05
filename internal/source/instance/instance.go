// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package instance sells certificates with the subscription instances of accounts ("V2.0"), by the contract of package
// source. An instance is chosen before the call, and its signing request can be read back: so it is read, and not
// searched for, what became of a purchase whose answer was lost (docs/design/cas.md §11.3).
//
// A renewal takes the instance that has the certificate of the names, if its term has room, or else another one; what
// becomes of that first way at CAS is not known (docs/design/cas.md §4.11), so each refusal leads to another instance.
package instance

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// MinSettle is how long after an application that does not show nothing is applied for again: a signed call can be
// executed for 15 minutes (docs/design/cas.md §2.4).
const MinSettle = 16 * time.Minute

// fieldInstance is what an Order is found by that applies with an instance. The CRD makes it selectable, so that it is
// looked for past the cache.
const fieldInstance = "status.submission.instance.id"

// Source sells with instances. All fields are required.
type Source struct {
	// APIReader reads past the cache: whoever does not see that an instance is taken would write over an application.
	APIReader client.Reader
	Remote    *access.Remote
	// Cluster tells the applications of this cluster from those of others on the same account, in a tag.
	Cluster string

	// refused are the instances that have refused an Order, by its UID.
	refused sync.Map
	// written is the fingerprint of the signing request that was last seen on an instance, by the instance's id. What
	// this process writes itself is not in it.
	written sync.Map
	// chosen are the instances that somebody in this process is about to write down as chosen.
	chosen book.Claims
}

var _ source.Source = &Source{}

// Sells says whether a spec names instances.
func (*Source) Sells(spec v1alpha1.Source) bool { return spec.Instance != nil }

// Offer returns what instances sell.
func (*Source) Offer(spec v1alpha1.Source) source.Offer { return offer{spec.Instance} }

// Open begins a run of an Order.
func (s *Source) Open(ask source.Ask) (source.Session, error) {
	calls, err := access.ClientOf(s.Remote, ask.Reach, ask.Secrets, casinstance.New)
	if err != nil {
		return nil, err
	}
	return &session{Source: s, Ask: ask, spec: ask.Order.Spec.Source.Instance, calls: calls}, nil
}

// Forget drops which instances have refused an Order.
func (s *Source) Forget(order types.UID) { s.refused.Delete(order) }

// Indexes returns the index by which Orders of instances are found.
func (*Source) Indexes() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{fieldInstance: func(o client.Object) []string {
		submission := o.(*v1alpha1.AliyunOrder).Status.Submission
		if submission == nil || submission.Instance == nil {
			return nil
		}
		return []string{submission.Instance.ID}
	}}
}

// session is instances at work for one Order in one run.
type session struct {
	*Source
	source.Ask

	spec  *v1alpha1.Instance
	calls *casinstance.Client
	// all are the instances that the issuer selects, once they are read.
	all []casinstance.Instance
	// choice is the instance that this run has chosen, as it was looked at, or nil.
	choice *casinstance.Detail
}
