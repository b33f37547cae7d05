// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Recover reads the instance back. An application that does not show may still be executed for 15 minutes, whatever a
// person says of it; before the first submission there is none that could be.
func (s *session) Recover(ctx context.Context, isTold bool) (source.Recovery, error) {
	submission := s.Order.Status.Submission
	if submission == nil {
		return s.lookBefore(ctx)
	}
	seen, err := s.calls.Describe(ctx, casinstance.ID(submission.Instance.ID))
	switch {
	case err != nil && !cas.IsNotFound(err):
		return source.Recovery{}, err
	case err == nil && s.isApplied(seen):
		return bought(submission.Instance.ID), nil
	case err == nil && seen.Status == casinstance.StatusPending && !isTold:
		return s.ambiguous("the instance is applied with for another signing request now"), nil
	}
	now := s.Now
	if err == nil && !seen.Date.IsZero() {
		now = seen.Date
	}
	if left := submission.StartedAt.Add(MinSettle).Sub(now); left > 0 {
		// An application shows within seconds, so a look each minute finds it long before the wait is over.
		return source.Recovery{Answer: source.NotYet, After: min(left, time.Minute)}, nil
	}
	if submission.Attempt >= source.MaxAttempts && !isTold {
		return s.ambiguous(fmt.Sprintf("nothing has come of %d attempts: if CAS goes on to refuse that instance, "+
			"buy another one and let the selector of the issuer select it, which is then tried first",
			submission.Attempt)), nil
	}
	return source.Recovery{Answer: source.NothingBought}, nil
}

// ambiguous asks a person to look at the instance.
func (s *session) ambiguous(cause string) source.Recovery {
	order := s.Order
	return source.Recovery{Answer: source.Ambiguous, Message: fmt.Sprintf(
		"CAS was asked at %s for a certificate for %q with the instance %s, %s, and %s. Nothing is applied for until "+
			"that is settled. Look at the instance in the console of CAS, and annotate this AliyunOrder with its id "+
			"if it is applied with for this name, or with %q if it is not: %s",
		order.Status.Submission.StartedAt.UTC().Format(time.RFC3339), order.Spec.CommonName,
		order.Status.Submission.Instance.ID, orders.Unclear(order.Status.Submission), cause, v1alpha1.NoOrder,
		orders.HowToSay(order))}
}

// lookBefore looks for an application of this very request, the record of which may be lost with a restored store, or
// with an AliyunOrder that was removed by force. What another Order has is passed over, and so is a certificate that is
// older than the request: that is for Earlier to deliver again, if anybody is to.
func (s *session) lookBefore(ctx context.Context) (source.Recovery, error) {
	candidates, err := s.selected(ctx)
	if err != nil {
		return source.Recovery{}, err
	}
	for _, candidate := range candidates {
		id := string(candidate.ID)
		if slices.Contains(s.Order.Status.ExcludedOrderIDs, id) || s.isSettled(&candidate) ||
			s.hasSeenAnother(candidate.ID) {
			continue
		}
		others, err := s.appliedBy(ctx, id)
		if err != nil {
			return source.Recovery{}, err
		}
		if slices.ContainsFunc(others, book.HoldsInstance) {
			continue
		}
		seen, err := s.calls.Describe(ctx, candidate.ID)
		if err == nil {
			s.written.Store(candidate.ID, fingerprint(seen.CSR))
		}
		switch {
		case cas.IsNotFound(err):
		case err != nil:
			return source.Recovery{}, err
		case !s.hasSameBytes(seen):
		case seen.Status == casinstance.StatusPending:
			return bought(id), nil
		case s.hasNext(seen): // its signing request may have been written there, and refused
			if _, isOwn, err := s.certificate(ctx, seen); isOwn || err != nil {
				return bought(id), err
			}
		}
	}
	return source.Recovery{Answer: source.NothingBought}, nil
}

// hasSeenAnother says that this process has seen another signing request than this order's on an instance, or none, and
// has not written on it since. Nobody else writes this order's there: there is one leader. So each instance is looked
// at once, and not once for each order.
func (s *session) hasSeenAnother(id casinstance.ID) bool {
	seen, isKnown := s.written.Load(id)
	return isKnown && seen != fingerprint(string(s.Order.Spec.Request))
}

// fingerprint is that of what a PEM text encodes, or of nothing.
func fingerprint(text string) [sha256.Size]byte {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(block.Bytes)
}

// isSettled says that nothing which is under way on an instance can be this order's, even if the list is behind: it has
// a certificate for other names, or has ended.
func (s *session) isSettled(listed *casinstance.Instance) bool {
	names := s.names()
	isForOthers := len(listed.Names) > 0 && !slices.ContainsFunc(listed.Names,
		func(name string) bool { return slices.Contains(names, name) })
	return listed.Status.IsFinal() || isForOthers && listed.HasCertificate()
}

func bought(id string) source.Recovery {
	return source.Recovery{Answer: source.Bought, OrderID: id, Basis: v1alpha1.OrderIDByRequest}
}

// Trace looks for the application as Recover does, and is as sure of it.
func (s *session) Trace(ctx context.Context) (source.Recovery, error) {
	found, err := s.Recover(ctx, false)
	if found.Answer == source.NotYet {
		found.Message = "the call that applied for it may still be executed"
	}
	return found, err
}

// Earlier looks at the instances of other Orders with the same key, and at no others: whatever else is in the account,
// somebody else has applied for it.
func (s *session) Earlier(ctx context.Context, known []source.Known) (*source.Found, error) {
	for _, k := range known {
		id, isID := casinstance.ParseID(k.ID)
		if !isID || k.Product != product {
			continue
		}
		seen, err := s.calls.Describe(ctx, id)
		if cas.IsNotFound(err) || err == nil && !isServed(seen) {
			continue
		}
		if err != nil {
			return nil, err
		}
		bundle, err := s.calls.Certificate(ctx, seen.CertificateID)
		if err != nil {
			return nil, err
		}
		certificates, err := chain.Usable(s.Order.Spec.Request, []byte(bundle), s.Order.Spec.DNSNames, s.Now)
		if err == nil && chain.IsYoung(certificates[0].NotBefore, certificates[0].NotAfter, s.Now) {
			return &source.Found{ID: k.ID, Stored: s.stored(seen), Certificates: certificates}, nil
		}
	}
	return nil, nil
}

// isServed says that the certificate of an instance may be used: it was not revoked, and has not expired. CAS says
// willExpire for as long as a month before the end, which may be all of the life of a short one.
func isServed(seen *casinstance.Detail) bool {
	return seen.CertificateStatus == casinstance.CertificateIssued ||
		seen.CertificateStatus == casinstance.CertificateWillExpire
}

// notBeforeSkew is how much earlier than it was issued a certificate may begin.
const notBeforeSkew = time.Hour

// hasSameBytes says that the signing request on an instance is this Order's to the last byte.
func (s *session) hasSameBytes(seen *casinstance.Detail) bool {
	block, _ := pem.Decode(s.Order.Spec.Request)
	return block != nil && casinstance.SameRequest(seen.CSR, block.Bytes)
}

// hasRequest says that the signing request on an instance has this Order's key. The bytes may be others: an Order that
// goes on with the order of a replaced request has a signing request of its own.
func (s *session) hasRequest(seen *casinstance.Detail) bool {
	return s.hasSameBytes(seen) || csr.SameKey([]byte(seen.CSR), s.Order.Spec.Request)
}

// isUnderWay says that this Order's application is.
func (s *session) isUnderWay(seen *casinstance.Detail) bool {
	return seen.Status == casinstance.StatusPending && s.hasRequest(seen)
}

// Says whether this Order's application is under way, or has come to a certificate. That its signing request is on the
// instance is not enough: Buy writes that before it applies.
func (s *session) isApplied(seen *casinstance.Detail) bool {
	return s.isUnderWay(seen) || s.hasRequest(seen) && s.hasNext(seen)
}

// Says whether an instance has another certificate than it had before this Order applied with it. Where nobody knows
// what it had, the certificate has to be younger than the request.
func (s *session) hasNext(seen *casinstance.Detail) bool {
	submission := s.Order.Status.Submission
	if submission == nil || submission.Instance == nil {
		return seen.HasCertificate() && seen.CertificateNotBefore.After(s.RequestedAt.Add(-notBeforeSkew))
	}
	return seen.HasCertificate() && seen.CertificateID != submission.Instance.CertificateID
}
