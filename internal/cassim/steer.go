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
	chain               string
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
	s.steer(id, func(o *order) { s.forceState(o, state) })
}

func (s *Server) forceState(o *order, state string) {
	o.state, o.cancelledAt, o.cert = state, time.Time{}, certificate{}
	switch state {
	case StateProcess:
		o.processSince = s.now()
	case StateVerifyFail:
		o.failReason = cmp.Or(o.failReason, "the authority says no")
	case StateCertificate:
		s.issue(o, s.now())
	}
}

// Vanish makes an order unknown to CAS, without giving anything back.
func (s *Server) Vanish(id string) { s.steer(id, func(o *order) { o.vanished = true }) }

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

// OrderChain sets the knob chain for one order, before or after the issue.
func (s *Server) OrderChain(id, chain string) {
	if err := new(Knobs).Set("chain", chain); err != nil {
		panic("cassim: " + err.Error())
	}
	s.steer(id, func(o *order) { o.steering.chain = chain })
}
