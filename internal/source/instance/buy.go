// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/cert-manager/cert-manager/pkg/util/pki"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Prepare takes what the issuer selects now: the Order may wait for an instance that was added after the Order was
// made.
func (s *session) Prepare(_ context.Context, issuer v1alpha1.GenericIssuer) error {
	if now := issuer.GetSpec().Source.Instance; now != nil {
		s.spec = now
	}
	return nil
}

// Buy writes the signing request on the instance, and applies for what is written there. It looks at the instance in
// between, since CAS may by itself submit what is complete. A refusal proves that the refused call did nothing. What
// CAS submits by itself after that is found by the look before the next purchase.
func (s *session) Buy(ctx context.Context) source.Purchase {
	id, at := casinstance.ID(s.Order.Status.Submission.Instance.ID), s.Order.Status.Submission.StartedAt.Time
	update, err := s.update()
	if err != nil {
		return source.Purchase{Outcome: source.NotBought, Err: err, Refusal: source.Malformed}
	}
	written := s.calls.Update(ctx, id, update, at)
	s.written.Delete(id) // afterwards, since a look of another order may have begun before
	switch {
	case written.Outcome == casinstance.NotDone:
		return s.notDone(id, written.Err)
	case written.Outcome != casinstance.Done:
		return s.unproven(id, written.Err)
	}
	switch seen, err := s.calls.Describe(ctx, id); {
	case err != nil: // a second application could take the place of one that nobody has seen
		return source.Purchase{Err: err}
	case s.isUnderWay(seen):
		return source.Purchase{Outcome: source.Accepted, OrderID: string(id)}
	case !s.hasRequest(seen):
		return source.Purchase{Err: fmt.Errorf("somebody else has written on the instance %s meanwhile", id)}
	}
	switch applied := s.calls.Apply(ctx, id, at); applied.Outcome {
	case casinstance.Done:
		return source.Purchase{Outcome: source.Accepted, OrderID: string(id)}
	case casinstance.NotDone: // should CAS submit what is written by itself, the next look before a purchase finds it
		return s.notDone(id, applied.Err)
	default:
		return s.unproven(id, applied.Err)
	}
}

// unproven remembers an instance that CAS refuses in words that prove nothing, after so many attempts that a person is
// asked: the next attempt is made with another one. What was lost on the way is tried with the same one.
func (s *session) unproven(id casinstance.ID, err error) source.Purchase {
	isRefused := cas.IsWrongState(err) || cas.KindOf(err) == cas.KindRefused
	if isRefused && s.Order.Status.Submission.Attempt >= source.MaxAttempts {
		s.noteRefused(string(id))
	}
	return source.Purchase{Err: err}
}

// notDone remembers that an instance has refused this Order, so that another one is tried first.
func (s *session) notDone(id casinstance.ID, err error) source.Purchase {
	refusal := source.NotRefused
	if !cas.IsThrottled(err) {
		s.noteRefused(string(id))
	}
	isInvalid, ids := cas.KindOf(err) == cas.KindInvalid, s.spec.Selector.IDs
	switch {
	case isInvalid && s.isNameless(): // no other instance would take it
		refusal, err = source.Malformed, &credentials.Problem{Reason: v1alpha1.ReasonRejected, Message: fmt.Sprintf(
			"CAS refuses the signing request, which has no common name: set spec.commonName of the Certificate, or "+
				"make the request with a common name. CAS says: %v", err)}
	case isInvalid && len(ids) > 0 && len(s.refusedBy()) >= len(ids):
		refusal = source.Malformed
	}
	return source.Purchase{Outcome: source.NotBought, Err: err, Refusal: refusal}
}

// isNameless says that the signing request has no common name, which the issuer lets be tried.
func (s *session) isNameless() bool {
	request, err := pki.DecodeX509CertificateRequestBytes(s.Order.Spec.Request)
	return err == nil && request.Subject.CommonName == ""
}

// refusedBy are the instances that have refused this Order in this process, and the one of a renewal that has come to
// nothing. An unused instance on which the signing request may be written is tried again instead of another one: CAS
// may still submit what is written there.
func (s *session) refusedBy() []string {
	known, _ := s.refused.Load(s.Order.UID)
	ids, _ := known.([]string)
	last := s.Order.Status.Submission
	isRenewal := last != nil && last.Instance != nil && last.Instance.CertificateID != ""
	if isRenewal && !slices.Contains(ids, last.Instance.ID) {
		ids = append(slices.Clone(ids), last.Instance.ID)
	}
	return ids
}

func (s *session) noteRefused(id string) {
	known := s.refusedBy()
	if !slices.Contains(known, id) {
		known = append(slices.Clone(known), id)
	}
	s.refused.Store(s.Order.UID, known)
}

// tagCluster and tagNamespace are the tags by which an installation knows what it has written, and for whom. maxTags is
// how many tags an instance can have.
const (
	tagCluster   = v1alpha1.Group + "/cluster"
	tagNamespace = v1alpha1.Group + "/namespace"
	maxTags      = 20
)

// update is what is written on the instance.
func (s *session) update() (casinstance.Update, error) {
	order := s.Order
	request, err := pki.DecodeX509CertificateRequestBytes(order.Spec.Request)
	if err != nil {
		return casinstance.Update{}, fmt.Errorf("the signing request of this order cannot be read: %w", err)
	}
	return casinstance.Update{
		CSR: string(order.Spec.Request), Names: s.names(), KeyAlgorithm: keys[csr.KeyAlgorithmOf(request)],
		ValidationMethod: validationMethod(order), ContactIDs: s.spec.ContactIDs, Tags: s.tags(),
	}, nil
}

// validationMethod is the same for all names of an order.
func validationMethod(order *v1alpha1.AliyunOrder) string {
	if order.Spec.IsFile() {
		return casinstance.ValidationHTTP
	}
	return casinstance.ValidationDNS
}

// tags are those that the instance has, which would be lost otherwise, and this installation's as far as there is room.
func (s *session) tags() map[string]string {
	own := map[string]string{
		tagCluster:               s.Cluster,
		tagNamespace:             s.Order.Namespace,
		v1alpha1.Group + "/name": s.Order.Spec.RequestRef.Name,
		v1alpha1.Group + "/uid":  string(s.Order.Spec.RequestRef.UID),
	}
	tags := map[string]string{}
	if s.choice != nil {
		maps.Copy(tags, s.choice.Tags)
	}
	for _, key := range slices.Sorted(maps.Keys(own)) { // the cluster comes first
		if _, isThere := tags[key]; isThere || len(tags) < maxTags {
			tags[key] = own[key]
		}
	}
	return tags
}
