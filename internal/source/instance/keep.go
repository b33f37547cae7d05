// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// Observe reads the instance, whose status is not that of the application: what has become of the application shows in
// the signing request on the instance, and in the key of the certificate (docs/design/cas.md §4.5).
func (s *session) Observe(ctx context.Context, id string) (*source.Observation, error) {
	seen, err := s.calls.Describe(ctx, casinstance.ID(id))
	switch {
	case cas.IsNotFound(err):
		return &source.Observation{IsMissing: true}, nil
	case err != nil:
		return nil, err
	}
	found := &source.Observation{Word: word(seen), Phase: s.phase(seen), TermEnd: seen.TermEnd}
	if found.Phase == v1alpha1.PhaseAwaitingValidation {
		found.Validations, found.Changed = validations(seen), s.changed(seen)
	}
	isOthers := false
	if s.isApplied(seen) && !s.isUnderWay(seen) {
		switch bundle, isOwn, err := s.certificate(ctx, seen); {
		case err != nil:
			return nil, err
		case isOwn:
			found.Phase, found.Certificate, found.Stored = v1alpha1.PhaseIssued, bundle, s.stored(seen)
			return found, nil
		default:
			isOthers = true
		}
	}
	found.Told = s.told(ctx, seen, found.Phase == v1alpha1.PhaseWithdrawnElsewhere, isOthers)
	return found, nil
}

// stored names the certificate of an instance.
func (s *session) stored(seen *casinstance.Detail) source.Stored {
	return source.Stored{ID: seen.CertificateID, Identifier: cmp.Or(
		seen.CertIdentifier, cas.CertIdentifier(seen.CertificateID, string(s.Reach.Region)))}
}

// certificate returns that of an instance, and says whether it has this Order's key.
func (s *session) certificate(ctx context.Context, seen *casinstance.Detail) (bundle string, isOwn bool, err error) {
	bundle, err = s.calls.Certificate(ctx, seen.CertificateID)
	if err != nil {
		return "", false, err
	}
	_, err = chain.For(s.Order.Spec.Request, []byte(bundle))
	return bundle, !errors.Is(err, chain.ErrOtherKey), nil
}

// Returns how the instance stands, and how its certificate does if there is one.
func word(seen *casinstance.Detail) string {
	if seen.CertificateStatus == "" {
		return string(seen.Status)
	}
	return fmt.Sprintf("%s, certificate %s", seen.Status, seen.CertificateStatus)
}

// Returns how far the application is, unless a certificate is known to be its.
func (s *session) phase(seen *casinstance.Detail) v1alpha1.OrderPhase {
	switch {
	case !s.hasRequest(seen), seen.Status.IsFinal():
		return v1alpha1.PhaseWithdrawnElsewhere
	case seen.Status == casinstance.StatusPending, s.mayNotShow():
		return v1alpha1.PhaseAwaitingValidation
	case seen.Status == casinstance.StatusInactive, seen.Status == casinstance.StatusNormal,
		seen.Status == casinstance.StatusWillExpire:
		return v1alpha1.PhaseWithdrawnElsewhere // or refused: nothing tells these apart
	default:
		return v1alpha1.PhaseOther
	}
}

// Returns what CAS wants to see published, as far as it has said so in full.
func validations(seen *casinstance.Detail) (all []v1alpha1.OrderValidation) {
	for _, v := range seen.Validations {
		if !v.IsComplete() {
			continue
		}
		name, kind, value := fullName(v), v.Type, v.Value
		if v.IsFile() {
			kind = dcv.TypeFile
			name, value = v.File()
		}
		all = append(all, v1alpha1.OrderValidation{
			Domain:      apiserver.Bounded(dcv.CanonicalName(v.Domain), 253),
			RecordName:  apiserver.Bounded(name, 255),
			RecordType:  apiserver.Bounded(kind, 16),
			RecordValue: apiserver.Bounded(value, 1024),
		})
	}
	return all
}

// Returns the full name of a record, in whichever form CAS has told it (docs/design/cas.md §4.8).
func fullName(v casinstance.Validation) string {
	name, root := dcv.CanonicalName(v.Key), dcv.CanonicalName(v.RootDomain)
	switch {
	case name == "@":
		return root
	case dcv.Within(name, root):
		return name
	default:
		return name + "." + root
	}
}

// Chain returns all that CAS has, which Observe has read already.
func (*session) Chain(_ context.Context, seen *source.Observation) ([]byte, error) {
	return []byte(seen.Certificate), nil
}

// shownAfter is how long an instance may look as if there was no application, after CAS has taken one: it becomes
// pending some seconds later (docs/design/cas.md §4.1).
const shownAfter = 5 * time.Minute

// mayNotShow says that the application may be too young to be seen. One whose records were told was seen: if it is not
// under way any more, it has ended.
func (s *session) mayNotShow() bool {
	status := s.Order.Status
	return status.SubmittedAt != nil && len(status.Validations) == 0 && s.Now.Sub(status.SubmittedAt.Time) < shownAfter
}

// Withdraw cancels the application. The instance stays pending for minutes then, and there is nothing to delete.
func (s *session) Withdraw(ctx context.Context, id string, seen *source.Observation) (isDone bool, cause string,
	err error) {
	switch seen.Phase {
	case v1alpha1.PhaseWithdrawnElsewhere, v1alpha1.PhaseRefused:
		return true, "", nil
	case v1alpha1.PhaseAwaitingValidation, v1alpha1.PhaseInReview:
		change := s.calls.Cancel(ctx, casinstance.ID(id), s.Now)
		if cas.IsWrongState(change.Err) { // too early, or cancelled already: the next look tells
			change.Err = nil
		}
		return false, "CAS has not carried out yet that it is cancelled", change.Err
	default:
		return false, fmt.Sprintf("CAS gives its state as %q", seen.Word), nil
	}
}
