// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package dnsendpoint publishes validation records through ExternalDNS: a DNSEndpoint asks for the record, and ExternalDNS makes it at
// whatever DNS provider it is set up for, and removes it with the DNSEndpoint.
//
// Of two DNSEndpoints that ask for the same name and type ExternalDNS serves one. So nothing is asked for beside what others ask for.
package dnsendpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// ttl is short, since a record lives for minutes, and long enough for providers that take no less than a minute.
const ttl int64 = 60

// Kind is what ExternalDNS reads with --source=crd.
var Kind = schema.GroupVersionKind{Group: "externaldns.k8s.io", Version: "v1alpha1", Kind: "DNSEndpoint"}

// ZoneFinder tells which zone holds a name; dcv.SelfCheck is one.
type ZoneFinder interface {
	FindZone(ctx context.Context, name string) (string, error)
}

// Config is what a Solver needs to know.
type Config struct {
	// Kube reads and writes DNSEndpoints past any cache.
	Kube client.Client
	// Namespace and Name are those of the DNSEndpoint. The name stays the same as long as the challenge does.
	Namespace, Name string
	// Owner is whom the DNSEndpoint goes with, in the same namespace.
	Owner metav1.OwnerReference
	// Labels and Annotations let an ExternalDNS with filters see it.
	Labels, Annotations map[string]string
	// Zones tells where a relative name belongs.
	Zones ZoneFinder
}

// Solver publishes one challenge's record.
type Solver struct{ config Config }

var _ dcv.Solver = (*Solver)(nil)

// New returns a Solver; it makes no call.
func New(config Config) *Solver { return &Solver{config} }

// Present implements dcv.Solver. Record.ProviderID is the UID of the DNSEndpoint.
func (s *Solver) Present(
	ctx context.Context, ch dcv.Challenge, prior *dcv.Record, claim func(context.Context, dcv.Record) error,
) (dcv.Record, error) {
	ch.RecordType = strings.ToUpper(ch.RecordType)
	if ch.Domain == "" || ch.RecordName == "" || ch.RecordValue == "" {
		return dcv.Record{}, fmt.Errorf("the validation record for %q is not known yet: CAS has not named it", ch.Domain)
	}
	if prior != nil && (prior.FQDN == "" || prior.Type != ch.RecordType || prior.Value != ch.RecordValue) {
		prior = nil // a claim on another record says nothing about this one
	}
	rec, err := s.locate(ctx, ch, prior)
	if err != nil {
		return dcv.Record{}, err
	}
	found := empty()
	err = s.config.Kube.Get(ctx, types.NamespacedName{Namespace: s.config.Namespace, Name: s.config.Name}, found)
	switch {
	case apierrors.IsNotFound(err):
		return s.create(ctx, rec, claim)
	case err != nil:
		return dcv.Record{}, s.explain(err)
	}
	return s.keep(ctx, rec, found, prior)
}

// CleanUp implements dcv.Solver.
func (s *Solver) CleanUp(ctx context.Context, rec dcv.Record) error {
	if rec.Foreign || rec.FQDN == "" {
		return nil
	}
	found := empty()
	err := s.config.Kube.Get(ctx, types.NamespacedName{Namespace: s.config.Namespace, Name: s.config.Name}, found)
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil
	case err != nil:
		return s.explain(err)
	case !s.isOurs(found, &rec):
		return nil
	}
	uid := found.GetUID()
	err = s.config.Kube.Delete(ctx, found, client.Preconditions{UID: &uid})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // it is gone, and perhaps another one is there
		return nil
	}
	return s.explain(err)
}

// Probe says whether ExternalDNS' kind is installed, and may be read.
func (s *Solver) Probe(ctx context.Context) error {
	err := s.config.Kube.Get(ctx, types.NamespacedName{Namespace: s.config.Namespace, Name: "aliyun-issuer-probe"}, empty())
	if apierrors.IsNotFound(err) {
		return nil
	}
	return s.explain(err)
}

func (s *Solver) create(ctx context.Context, rec dcv.Record, claim func(context.Context, dcv.Record) error) (dcv.Record, error) {
	isThere, err := s.othersAsk(ctx, rec)
	if err != nil {
		return dcv.Record{}, err
	}
	if isThere {
		rec.Foreign = true
		return rec, nil
	}
	if err := claim(ctx, rec); err != nil {
		return dcv.Record{}, err
	}
	wanted := s.wanted(rec)
	if err := s.config.Kube.Create(ctx, wanted); err != nil {
		return dcv.Record{}, s.explain(err)
	}
	rec.ProviderID = string(wanted.GetUID())
	return rec, nil
}

// keep puts right what somebody has changed, and takes over what an earlier owner of the same challenge has made.
func (s *Solver) keep(ctx context.Context, rec dcv.Record, found *unstructured.Unstructured, prior *dcv.Record) (dcv.Record, error) {
	if !s.isOurs(found, prior) {
		return dcv.Record{}, &dcv.Problem{Message: fmt.Sprintf("the DNSEndpoint %q in the namespace %q was made by somebody else, and has the name of the one to make: delete it",
			found.GetName(), found.GetNamespace())}
	}
	rec.ProviderID = string(found.GetUID())
	wanted, next := s.wanted(rec), found.DeepCopy()
	next.SetOwnerReferences(wanted.GetOwnerReferences())
	next.Object["spec"] = wanted.Object["spec"]
	if equality.Semantic.DeepEqual(found.Object, next.Object) {
		return rec, nil
	}
	patch := client.MergeFromWithOptions(found, client.MergeFromWithOptimisticLock{})
	return rec, s.explain(s.config.Kube.Patch(ctx, next, patch))
}

func (s *Solver) isOurs(found *unstructured.Unstructured, rec *dcv.Record) bool {
	owner := metav1.GetControllerOfNoCopy(found)
	return owner != nil && owner.UID == s.config.Owner.UID || rec != nil && rec.ProviderID != "" && rec.ProviderID == string(found.GetUID())
}

// locate says where the record belongs. ExternalDNS finds the zone by itself, so that ours is for people.
func (s *Solver) locate(ctx context.Context, ch dcv.Challenge, prior *dcv.Record) (dcv.Record, error) {
	rec := dcv.Record{Type: ch.RecordType, Value: ch.RecordValue}
	if prior != nil {
		rec.FQDN, rec.Zone = prior.FQDN, prior.Zone
		return rec, nil
	}
	zone, err := s.config.Zones.FindZone(ctx, ch.Domain)
	if err != nil {
		return dcv.Record{}, err
	}
	rec.FQDN, rec.Zone = dcv.RecordFQDN(ch, zone), zone
	return rec, nil
}

func (s *Solver) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case meta.IsNoMatchError(err):
		return &dcv.Problem{Message: "the cluster has no DNSEndpoints: install the CRD of ExternalDNS (dnsendpoints.externaldns.k8s.io), and run ExternalDNS with --source=crd"}
	case apierrors.IsForbidden(err):
		return &dcv.Problem{Message: "the controller may not use DNSEndpoints: set the chart value solvers.dnsEndpoint, which grants it get, list, create, patch and delete on them"}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return &dcv.Problem{Message: fmt.Sprintf("the cluster does not take the DNSEndpoint %q: %v", s.config.Name, err)}
	default: // not wrapped: whoever calls a Solver has objects of its own, whose conflicts mean something else
		return errors.New("the DNSEndpoint could not be written or read: " + err.Error())
	}
}

func empty() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(Kind)
	return object
}
