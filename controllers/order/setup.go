// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Config is what a Reconciler works with. All fields are required.
type Config struct {
	Client client.Client
	// APIReader reads past the cache, where a stale answer could cost an order.
	APIReader   client.Reader
	Recorder    events.EventRecorder
	Remote      *access.Remote
	Submissions *Submissions
	// Sources are what certificates are bought from.
	Sources source.Registry
	// Fresh knows the Orders that this process made.
	Fresh *orders.Fresh
	// ClusterResourceNamespace is where the Secrets of cluster issuers are.
	ClusterResourceNamespace string
	// Listed says that the installation serves listed namespaces, and so no cluster issuers.
	Listed bool
}

// New hands to each phase what it needs.
func New(c Config) *Reconciler {
	kube := &kube{Client: c.Client, APIReader: c.APIReader, Recorder: c.Recorder}
	outside := &outside{Remote: c.Remote, Sources: c.Sources}
	memory, claims := &memory{outside: outside}, &book.Claims{}
	ledger := &ledger{kube: kube, locks: &spendingLocks{}}
	cleaning := &cleaning{kube: kube, outside: outside, pace: &memory.pace, efforts: &memory.efforts}
	holding := &holding{kube: kube, cleaning: cleaning}
	prechecking := &prechecking{kube: kube, outside: outside, zones: &memory.zones}
	guarding := &guarding{kube: kube, outside: outside, pace: &memory.pace}
	intending := &intending{kube: kube, ledger: ledger, holding: holding, unsent: &memory.unsent,
		accepted: &memory.accepted}
	issuing := &issuing{kube: kube, holding: holding}
	releasing := &releasing{kube: kube, outside: outside, holding: holding, issuing: issuing, pace: &memory.pace,
		efforts: &memory.efforts, claims: claims, clusterResourceNamespace: c.ClusterResourceNamespace,
		isListed: c.Listed}
	return &Reconciler{
		kube: kube, outside: outside, memory: memory, guarding: guarding, issuing: issuing, isListed: c.Listed,
		wrapping: &wrapping{kube: kube, ledger: ledger, cleaning: cleaning, intending: intending,
			releasing: releasing, memory: memory, efforts: &memory.efforts, accepted: &memory.accepted},
		inheriting: &inheriting{kube: kube, holding: holding, unsent: &memory.unsent},
		buying: &buying{kube: kube, outside: outside, guarding: guarding, ledger: ledger, holding: holding,
			hearing: &hearing{kube: kube, holding: holding}, prechecking: prechecking, intending: intending,
			pace: &memory.pace, spent: &spending{}, claims: claims, fresh: c.Fresh, submissions: c.Submissions},
		observing: &observing{kube: kube, outside: outside, holding: holding, pace: &memory.pace},
		presenting: &presenting{kube: kube, outside: outside, cleaning: cleaning, prechecking: prechecking,
			pace: &memory.pace},
	}
}
