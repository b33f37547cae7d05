// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// steering is what a test wants the CA to do wrong with one order.
type steering struct {
	wrongKey            bool
	names, extraNames   []string
	notBefore, notAfter time.Time
	lasts               time.Duration // of certificates of an instance; 0 is as long as usual
	chain               string
	frozen              bool
	ignoresCancel       bool
	revoked             bool
}

// steer panics for an order that does not exist, which is a mistake in a test.
func (s *Server) steer(id string, change func(*order)) {
	if !s.trySteer(id, change) {
		panic(fmt.Sprintf("cassim: there is no order %q", id))
	}
}

func (s *Server) trySteer(id string, change func(*order)) bool {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	o := s.orders.byID[id]
	if o == nil {
		return false
	}
	change(o)
	return true
}

// ForceState moves an order to a state as though the authority had just done it, and time goes on from there: a forced
// process issues after CADelay, a forced domain_verify validates as usual. The state may be one that nobody knows.
func (s *Server) ForceState(id, state string) {
	s.steer(id, func(o *order) { s.forceState(o, state, s.now()) })
}

func (s *Server) forceState(o *order, state string, at time.Time) {
	o.state, o.cancelledAt, o.cert = state, time.Time{}, certificate{}
	switch state {
	case StateProcess:
		o.processSince = at
	case StateVerifyFail:
		o.failReason = cmp.Or(o.failReason, "the authority says no")
	case StateCertificate:
		s.issue(o, at)
	}
}

// Freeze keeps an order in its state, whatever the time, the DNS or a cancellation would make of it. ForceState moves
// it all the same.
func (s *Server) Freeze(id string) { s.steer(id, func(o *order) { o.steering.frozen = true }) }

// Thaw lets an order go on. What it missed happens at once, dated back to when it would have happened.
func (s *Server) Thaw(id string) { s.steer(id, func(o *order) { o.steering.frozen = false }) }

// FailReview moves an order to StateVerifyFail. The reason is told if the knob verifyFailReason says so.
func (s *Server) FailReview(id, reason string) {
	s.steer(id, func(o *order) { s.failReview(o, reason) })
}

func (s *Server) failReview(o *order, reason string) {
	o.failReason = reason
	s.forceState(o, StateVerifyFail, s.now())
}

// IgnoreCancel makes the CA go on with an order, and issue, though CAS accepts that it is cancelled.
func (s *Server) IgnoreCancel(id string) {
	s.steer(id, func(o *order) { o.steering.ignoresCancel = true })
}

// Vanish makes an order unknown to CAS, without giving anything back.
func (s *Server) Vanish(id string) { s.steer(id, func(o *order) { o.vanished = true }) }

// Reappear makes an order known to CAS again. What the order missed happens at once.
func (s *Server) Reappear(id string) { s.steer(id, func(o *order) { o.vanished = false }) }

// Revoke revokes the certificate of an issued order. Listings say so; what DescribeCertificateState says of it is not
// known, and here it goes on giving the certificate.
func (s *Server) Revoke(id string) { s.steer(id, func(o *order) { o.steering.revoked = true }) }

// WrongKey makes the CA issue for another key than the CSR's.
func (s *Server) WrongKey(id string) { s.steer(id, func(o *order) { o.steering.wrongKey = true }) }

// WrongNames replaces the names of the certificate to be issued.
func (s *Server) WrongNames(id string, names ...string) {
	s.steer(id, func(o *order) { o.steering.names = slices.Clone(names) })
}

// ExtraNames adds to the names of the certificate to be issued.
func (s *Server) ExtraNames(id string, names ...string) {
	s.steer(id, func(o *order) { o.steering.extraNames = slices.Clone(names) })
}

// WrongDates replaces the dates of the certificate to be issued.
func (s *Server) WrongDates(id string, notBefore, notAfter time.Time) {
	s.steer(id, func(o *order) { o.steering.notBefore, o.steering.notAfter = notBefore, notAfter })
}

// OrderChain sets the knob chain for one order, or an odd chain, before or after the issue.
func (s *Server) OrderChain(id, chain string) {
	if err := checkChain(chain); err != nil {
		panic("cassim: " + err.Error())
	}
	s.steer(id, func(o *order) { o.steering.chain = chain })
}

func checkChain(chain ChainForm) error {
	if oddChains[chain] != nil {
		return nil
	}
	return new(Knobs).Set("chain", chain)
}
