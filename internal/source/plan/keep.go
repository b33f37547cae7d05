// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// phases are what the states of CAS mean (docs/design/cas.md §3.4).
var phases = map[cas.State]v1alpha1.OrderPhase{
	cas.StateDomainVerify: v1alpha1.PhaseAwaitingValidation,
	cas.StateProcess:      v1alpha1.PhaseInReview,
	cas.StateCertificate:  v1alpha1.PhaseIssued,
	cas.StateVerifyFail:   v1alpha1.PhaseRefused,
	cas.StatePayed:        v1alpha1.PhaseWithdrawnElsewhere,
	cas.StateUnknow:       v1alpha1.PhaseUnknown,
}

// Observe describes an order.
func (s *session) Observe(ctx context.Context, id string) (*source.Observation, error) {
	described, err := s.calls.Describe(ctx, cas.OrderID(id))
	switch {
	case cas.IsNotFound(err):
		return &source.Observation{IsMissing: true}, nil
	case err != nil:
		return nil, err
	}
	return s.observation(described), nil
}

func (s *session) observation(described *cas.Order) *source.Observation {
	return &source.Observation{
		Phase: cmp.Or(phases[described.State], v1alpha1.PhaseOther), Word: string(described.State),
		Validations: validationsOf(s.Order, described),
		Certificate: described.Certificate, Stored: s.stored(described),
	}
}

// stored names the certificate of an order. No answer about orders has the identifier.
func (s *session) stored(described *cas.Order) source.Stored {
	return source.Stored{
		ID: described.CertID, Identifier: cas.CertIdentifier(described.CertID, string(s.Reach.Region)),
	}
}

// Returns the one thing that CAS wants to see published, or none until it has said so.
func validationsOf(order *v1alpha1.AliyunOrder, described *cas.Order) []v1alpha1.OrderValidation {
	domain := strings.TrimPrefix(order.Spec.CommonName, "*.") // a wildcard is validated at its base
	record, file := described.Record, described.File
	switch {
	case order.Spec.IsFile() && file != nil:
		return []v1alpha1.OrderValidation{{
			Domain:      apiserver.Bounded(dcv.CanonicalName(cmp.Or(file.Domain, domain)), 253),
			RecordName:  apiserver.Bounded(file.URI, 255),
			RecordType:  dcv.TypeFile,
			RecordValue: apiserver.Bounded(file.Content, 1024),
		}}
	case !order.Spec.IsFile() && record != nil:
		return []v1alpha1.OrderValidation{{
			Domain:      domain,
			RecordName:  apiserver.Bounded(record.Domain, 255),
			RecordType:  apiserver.Bounded(record.Type, 16),
			RecordValue: apiserver.Bounded(record.Value, 1024),
		}}
	default:
		return nil
	}
}

// Chain adds the issuers of a lone leaf from the store of CAS. If they cannot be had there, that is no reason to keep
// the leaf back.
func (s *session) Chain(ctx context.Context, seen *source.Observation) ([]byte, error) {
	bundle := []byte(seen.Certificate)
	id := cmp.Or(seen.Stored.ID, s.Order.Status.CertificateID)
	if found, err := chain.For(s.Order.Spec.Request, bundle); err != nil || len(found) != 1 || id == "" {
		return bundle, nil //nolint:nilerr // whoever uses the certificate tells what is wrong with it
	}
	stored, err := s.calls.Certificate(ctx, id)
	if err != nil {
		return bundle, nil //nolint:nilerr // see above
	}
	return []byte(seen.Certificate + "\n" + stored), nil
}

// Withdraw makes the next step that the order's state allows: cancel, wait for payed, delete (docs/design/cas.md §3.8).
func (s *session) Withdraw(ctx context.Context, id string, seen *source.Observation) (isDone bool, cause string,
	err error) {
	switch seen.Phase {
	case v1alpha1.PhaseWithdrawnElsewhere, v1alpha1.PhaseRefused:
		// One look is enough: CAS refuses to delete what is under way, and the next look cancels that.
		end, err := s.beginReturn(ctx, s.Order)
		if err != nil {
			return false, "", err
		}
		defer end()
		if err := s.calls.Delete(ctx, cas.OrderID(id)); err != nil {
			return false, "", err
		}
		return true, "", nil
	case v1alpha1.PhaseAwaitingValidation, v1alpha1.PhaseInReview:
		return false, "CAS has not carried out yet that it is cancelled", s.calls.Cancel(ctx, cas.OrderID(id))
	default:
		return false, fmt.Sprintf("CAS gives its state as %q", seen.Word), nil
	}
}
