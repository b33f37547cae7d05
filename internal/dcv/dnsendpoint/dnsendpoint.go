// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package dnsendpoint publishes validation records through ExternalDNS: a DNSEndpoint asks for the record, and
// ExternalDNS makes it at whatever DNS provider it is set up for, and removes it with the DNSEndpoint.
//
// If two DNSEndpoints ask for the same name and type, ExternalDNS serves only one of them. So a Solver makes no
// DNSEndpoint for a name and type that another one asks for.
package dnsendpoint

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/kubeobject"
)

// ttl is short, since a record lives for minutes, and long enough for providers that take no less than a minute.
const ttl int64 = 60

// Kind is what ExternalDNS reads with --source=crd.
var Kind = schema.GroupVersionKind{Group: "externaldns.k8s.io", Version: "v1alpha1", Kind: "DNSEndpoint"}

// Config is what a Solver needs to know.
type Config struct {
	// Kube reads and writes DNSEndpoints past any cache.
	Kube client.Client
	// Namespace and Name are those of the DNSEndpoint. The name stays the same as long as the challenge does.
	Namespace, Name string
	// Owner is the object, in the same namespace, that the DNSEndpoint is deleted with.
	Owner metav1.OwnerReference
	// Labels and Annotations let an ExternalDNS with filters see it.
	Labels, Annotations map[string]string
	// Zones tells where a relative name belongs.
	Zones dcv.ZoneFinder
}

// Solver publishes one challenge's record.
type Solver struct {
	config Config
	kept   *kubeobject.Keeper
}

var _ dcv.Solver = (*Solver)(nil)

// New returns a Solver; it makes no call.
func New(config Config) *Solver {
	return &Solver{config, &kubeobject.Keeper{
		Kube: config.Kube, Kind: Kind,
		IsMarked: func(object *unstructured.Unstructured) bool {
			owner := metav1.GetControllerOfNoCopy(object)
			return owner != nil && owner.UID == config.Owner.UID
		},
		Missing: "install the CRD of ExternalDNS (dnsendpoints.externaldns.k8s.io), and run ExternalDNS with " +
			"--source=crd",
		Forbidden: "set the chart value solvers.dnsEndpoint, which grants it get, list, create, patch and delete",
	}}
}

// Present implements dcv.Solver. Record.ProviderID is the UID of the DNSEndpoint.
func (s *Solver) Present(
	ctx context.Context, ch dcv.Challenge, prior *dcv.Record, claim func(context.Context, dcv.Record) error,
) (dcv.Record, error) {
	ch, prior, err := dcv.Prepare(ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	rec, err := dcv.Locate(ctx, s.config.Zones, ch, prior) // ExternalDNS finds the zone by itself: ours is for people
	if err != nil {
		return dcv.Record{}, err
	}
	return s.kept.Present(ctx, s.wanted(rec), rec, prior, func(ctx context.Context) (dcv.Record, error) {
		rec := rec
		if rec.Foreign, err = s.othersAsk(ctx, rec); err != nil || rec.Foreign {
			return rec, err
		}
		return rec, claim(ctx, rec)
	})
}

// CleanUp implements dcv.Solver.
func (s *Solver) CleanUp(ctx context.Context, rec dcv.Record) error {
	if rec.Foreign || rec.FQDN == "" {
		return nil
	}
	return s.kept.CleanUp(ctx, s.config.Namespace, s.config.Name, rec)
}

// Probe says whether ExternalDNS' kind is installed, and may be used.
func (s *Solver) Probe(ctx context.Context) error { return s.kept.Probe(ctx, s.config.Namespace) }
