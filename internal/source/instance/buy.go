// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Prepare takes the instances that the issuer lists now: the Order may wait for one that was added after the Order was
// made.
func (s *session) Prepare(_ context.Context, issuer v1alpha1.GenericIssuer) error {
	if now := issuer.GetSpec().Source.Instance; now != nil {
		s.spec = now
	}
	return nil
}

// Intend chooses an instance that can be applied with, and that no Order has. It is reserved in this process until the
// intent has ended; from then on the Order says that it is taken. Those that were never applied with come first, and
// those that have refused this Order last.
func (s *session) Intend(ctx context.Context) (source.Intent, error) {
	var second source.Intent
	for _, id := range s.inOrder() {
		release, isFree := s.chosen.Take(book.Account{}, id) // an id is one instance, whoever asks for it
		if !isFree {
			continue
		}
		status, err := s.fit(ctx, id)
		switch {
		case err == nil && status == casinstance.StatusInactive:
			if second != nil {
				second.End()
			}
			return &intent{id: id, end: release}, nil
		case err == nil && status != "" && second == nil:
			second = &intent{id: id, end: release}
			continue
		}
		release()
		if err != nil {
			if second != nil {
				second.End()
			}
			return nil, err
		}
	}
	if second == nil {
		return nil, &source.Shortage{Message: shortage}
	}
	return second, nil
}

// inOrder are the instances of the issuer, without and then with those that have refused this Order.
func (s *session) inOrder() []string {
	refused, _ := s.refused.Load(s.Order.UID)
	hasRefused := func(id string) bool { return refused != nil && slices.Contains(refused.([]string), id) }
	ids := slices.Clone(s.spec.IDs)
	slices.SortStableFunc(ids, func(a, b string) int {
		switch isA, isB := hasRefused(a), hasRefused(b); {
		case isA == isB:
			return 0
		case isB:
			return -1
		default:
			return 1
		}
	})
	return ids
}

// isTaken says that another Order has an instance, and has not given it back.
func (s *session) isTaken(ctx context.Context, id string) (bool, error) {
	others := &v1alpha1.AliyunOrderList{}
	if err := s.APIReader.List(ctx, others, client.MatchingFields{fieldInstance: id}); err != nil {
		return false, err
	}
	return slices.ContainsFunc(others.Items, func(o v1alpha1.AliyunOrder) bool {
		release := o.Status.Release
		isBack := release != nil &&
			(release.Outcome == v1alpha1.Released || release.Outcome == v1alpha1.NothingToRelease) &&
			o.Status.Progress != v1alpha1.PhaseIssued
		return o.UID != s.Order.UID && !isBack
	}), nil
}

// fit returns the status of an instance that has no certificate, serves the name, and is nobody else's; or empty.
func (s *session) fit(ctx context.Context, id string) (casinstance.Status, error) {
	if isTaken, err := s.isTaken(ctx, id); isTaken || err != nil {
		return "", err
	}
	seen, err := s.calls.Describe(ctx, casinstance.ID(id))
	switch {
	case cas.IsNotFound(err):
		return "", nil
	case err != nil:
		return "", err
	}
	isIdle := seen.Status == casinstance.StatusInactive ||
		seen.Status == casinstance.StatusNormal && !seen.HasCertificate()
	if !isIdle || !s.serves(seen) || s.isOthers(seen) || len(s.spec.ContactIDs) == 0 && len(seen.ContactIDs) == 0 {
		return "", nil // without a contact CAS refuses the application, after the instance was written on
	}
	return seen.Status, nil
}

// serves says that an instance is for the kind of name that is asked for. Numbers that are not told exclude nothing.
func (s *session) serves(seen *casinstance.Detail) bool {
	isUntold := seen.SingleNames == 0 && seen.WildcardNames == 0
	if strings.HasPrefix(s.Order.Spec.CommonName, "*.") {
		return isUntold || seen.WildcardNames > 0
	}
	return isUntold || seen.SingleNames > 0
}

// isOthers says that somebody else has written a signing request on an instance, and may be about to apply for it. What
// this installation has written says so by its tag.
func (s *session) isOthers(seen *casinstance.Detail) bool {
	return seen.CSR != "" && !s.hasRequest(seen) && seen.Tags[tagCluster] != s.Cluster
}

// intent is an instance that was chosen.
type intent struct {
	id  string
	end func()
}

// Note writes the instance down.
func (i *intent) Note(submission *v1alpha1.OrderSubmission) {
	submission.Instance = &v1alpha1.ChosenInstance{ID: i.id}
}

// End ends the reservation: the Order says by now that the instance is taken.
func (i *intent) End() { i.end() }

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
	switch {
	case written.Outcome == casinstance.NotDone:
		return s.notDone(id, written.Err)
	case written.Outcome != casinstance.Done:
		return source.Purchase{Err: written.Err}
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
		return source.Purchase{Err: applied.Err}
	}
}

// notDone remembers that an instance has refused this Order, so that another one is tried first.
func (s *session) notDone(id casinstance.ID, err error) source.Purchase {
	before, _ := s.refused.Load(s.Order.UID)
	known, _ := before.([]string)
	if !slices.Contains(known, string(id)) && !cas.IsThrottled(err) {
		known = append(slices.Clone(known), string(id))
		s.refused.Store(s.Order.UID, known)
	}
	refusal := source.NotRefused
	if cas.KindOf(err) == cas.KindInvalid && len(known) >= len(s.spec.IDs) {
		refusal = source.Malformed
	}
	return source.Purchase{Outcome: source.NotBought, Err: err, Refusal: refusal}
}

// tagCluster is the tag by which an installation knows what it has written.
const tagCluster = v1alpha1.Group + "/cluster"

// update is what is written on the instance.
func (s *session) update() (casinstance.Update, error) {
	order := s.Order
	request, err := pki.DecodeX509CertificateRequestBytes(order.Spec.Request)
	if err != nil {
		return casinstance.Update{}, fmt.Errorf("the signing request of this order cannot be read: %w", err)
	}
	update := casinstance.Update{
		CSR: string(order.Spec.Request), Names: order.Spec.DNSNames, KeyAlgorithm: keys[csr.KeyAlgorithmOf(request)],
		ValidationMethod: casinstance.ValidationDNS, ContactIDs: s.spec.ContactIDs,
		Tags: map[string]string{
			tagCluster:                    s.Cluster,
			v1alpha1.Group + "/namespace": order.Namespace,
			v1alpha1.Group + "/name":      order.Spec.RequestRef.Name,
			v1alpha1.Group + "/uid":       string(order.Spec.RequestRef.UID),
		},
	}
	return update, nil
}
