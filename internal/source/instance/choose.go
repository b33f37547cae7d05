// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	casinstance "github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// room is how much of its term an instance must have left, for a renewal to be applied for with it.
const room = 30 * 24 * time.Hour

// Intend chooses an instance that can be applied with, and that no Order has. It is reserved in this process until the
// intent has ended; from then on the Order says that it is taken. Each is looked at before it is chosen, since a list
// may be behind.
func (s *session) Intend(ctx context.Context) (source.Intent, error) {
	candidates, err := s.selected(ctx)
	if err != nil {
		return nil, err
	}
	for _, candidate := range s.inOrder(candidates) {
		// An id is one instance, whoever asks for it.
		release, isFree := s.chosen.Take(book.Account{}, string(candidate.ID))
		if !isFree {
			continue
		}
		seen, err := s.fit(ctx, candidate.ID)
		if err == nil && seen != nil {
			s.choice = seen
			return &intent{seen: seen, end: release}, nil
		}
		release()
		if err != nil {
			return nil, err
		}
	}
	return nil, &source.Shortage{Message: s.shortage()}
}

// The ranks of candidates: those that have the certificate which is renewed come first, then those that were never
// applied with, then those whose only application was given back.
const (
	rankRenewed = iota
	rankUnused
	rankGivenBack
	rankNone
)

// rank says how well an instance suits, by what is known of it.
func (s *session) rank(seen *casinstance.Instance) int {
	switch {
	case s.isRenewed(seen):
		return rankRenewed
	case seen.Status == "": // not listed: it may be anything
		return rankUnused
	case !isFree(seen):
		return rankNone
	case seen.Status == casinstance.StatusInactive:
		return rankUnused
	default:
		return rankGivenBack
	}
}

// isFree says that an instance has no certificate, and no application under way: it can be applied with for any names.
func isFree(seen *casinstance.Instance) bool {
	return !seen.HasCertificate() && (seen.Status == casinstance.StatusInactive || isIdle(seen))
}

// isIdle says that no application is under way with an instance, and that there was one.
func isIdle(seen *casinstance.Instance) bool {
	return seen.Status == casinstance.StatusNormal || seen.Status == casinstance.StatusWillExpire
}

// isRenewed says that an instance has a certificate for the names of the order that is due to be renewed, and may issue
// the next one. A young certificate is not touched: a CA may revoke it once the next one is there, and somebody may use
// it.
func (s *session) isRenewed(seen *casinstance.Instance) bool {
	hasRoom := seen.TermEnd.IsZero() || seen.TermEnd.Sub(s.Now) >= room
	return s.spec.Renewal != v1alpha1.RenewalIsFresh && isIdle(seen) && hasRoom && seen.HasCertificate() &&
		!chain.IsYoung(seen.CertificateNotBefore, seen.CertificateNotAfter, s.Now) && sameNames(seen.Names, s.names())
}

// isOwn says that the last application with an instance was made by this installation, in the namespace of the order:
// whoever has the same names in another namespace has a certificate of his own.
func (s *session) isOwn(seen *casinstance.Detail, others []v1alpha1.AliyunOrder) bool {
	isTagged := seen.Tags[tagCluster] == s.Cluster && seen.Tags[tagNamespace] == s.Order.Namespace
	return isTagged || slices.ContainsFunc(others, func(o v1alpha1.AliyunOrder) bool {
		return o.Namespace == s.Order.Namespace && o.Status.CertificateID == seen.CertificateID
	})
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// inOrder returns those that may suit, the one to be tried first at the beginning. Those that have refused this Order
// come last. Of the others, that of the last submission comes first, where CAS may still submit what is written; then
// the rank decides, and of equals the one comes first that ends first, or is selected first by its id.
func (s *session) inOrder(candidates []casinstance.Instance) []casinstance.Instance {
	refused := s.refusedBy()
	suit := slices.DeleteFunc(slices.Clone(candidates), func(c casinstance.Instance) bool {
		return s.rank(&c) == rankNone || c.Status != "" && !s.carries(&c)
	})
	position := func(c *casinstance.Instance) int { return slices.Index(s.spec.Selector.IDs, string(c.ID)) }
	slices.SortFunc(suit, func(a, b casinstance.Instance) int {
		return cmp.Or(
			compareBool(slices.Contains(refused, string(a.ID)), slices.Contains(refused, string(b.ID))),
			compareBool(s.isLast(b.ID), s.isLast(a.ID)),
			cmp.Compare(s.rank(&a), s.rank(&b)),
			end(&a).Compare(end(&b)),
			cmp.Compare(position(&a), position(&b)),
			cmp.Compare(a.ID, b.ID))
	})
	return suit
}

// isLast says that the last submission of this order was made with an instance.
func (s *session) isLast(id casinstance.ID) bool {
	last := s.Order.Status.Submission
	return last != nil && last.Instance != nil && last.Instance.ID == string(id)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// end is when an instance ends, as far as it is known: the term begins with the first certificate.
func end(seen *casinstance.Instance) time.Time {
	if seen.TermEnd.IsZero() {
		return seen.BoughtUntil
	}
	return seen.TermEnd
}

// fit looks at an instance, and returns it if it can be applied with for this order, or nil.
func (s *session) fit(ctx context.Context, id casinstance.ID) (*casinstance.Detail, error) {
	others, err := s.appliedBy(ctx, string(id))
	if err != nil || slices.ContainsFunc(others, book.HoldsInstance) {
		return nil, err
	}
	seen, err := s.calls.Describe(ctx, id)
	switch {
	case cas.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	isMute := len(s.spec.ContactIDs) == 0 && len(seen.ContactIDs) == 0
	if s.rank(&seen.Instance) == rankNone || !s.carries(&seen.Instance) || s.isOthers(seen, others) || isMute ||
		!selects(&s.spec.Selector, seen) {
		return nil, nil // without a contact CAS refuses the application, after the instance was written on
	}
	return seen, nil
}

// isOthers says that somebody else has the certificate of an instance, or has written a signing request on it and may
// be about to apply. What this installation has written is known by its tag, or by the other Orders that have applied.
func (s *session) isOthers(seen *casinstance.Detail, others []v1alpha1.AliyunOrder) bool {
	if seen.HasCertificate() {
		return !s.isOwn(seen, others)
	}
	isWritten := seen.CSR != "" && !s.hasRequest(seen)
	return isWritten && seen.Tags[tagCluster] != s.Cluster && len(others) == 0
}

// intent is an instance that was chosen.
type intent struct {
	seen *casinstance.Detail
	end  func()
}

// Note writes the instance down, and which certificate it has.
func (i *intent) Note(submission *v1alpha1.OrderSubmission) {
	submission.Instance = &v1alpha1.ChosenInstance{ID: string(i.seen.ID), CertificateID: i.seen.CertificateID}
}

// End ends the reservation: the Order says by now that the instance is taken.
func (i *intent) End() { i.end() }
