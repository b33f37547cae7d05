// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"slices"
	"time"
)

// catchUp brings every unfinished order to the present.
func (s *Server) catchUp() {
	for _, o := range s.orders.all {
		if o.isUnfinished() {
			s.writeProof(o)
			s.advance(o)
			s.renewProof(o)
		}
	}
	s.catchUpInstances()
}

// advance takes an order as far as the time allows, stamping each step with when it happened, which may be long ago.
func (s *Server) advance(o *order) {
	if o.steering.frozen {
		return
	}
	now := s.now()
	if !o.cancelledAt.IsZero() {
		if !now.Before(o.cancelledAt) {
			o.state, o.cancelledAt = StatePayed, time.Time{}
		}
		return // the CA no longer works on it
	}
	if o.state == StateDomainVerify {
		s.validate(o, now)
	}
	if o.state == StateProcess {
		if end := o.processSince.Add(s.opts.CADelay); !now.Before(end) {
			s.review(o, end)
		}
	}
}

func (s *Server) validate(o *order, now time.Time) {
	expiry, expires := limit(s.knobs.OrderExpiry)
	expiredAt := o.boughtAt.Add(expiry)
	seenAt := o.visibleSince.Add(s.opts.DCVDelay)
	isSeen := !o.visibleSince.IsZero() && !now.Before(seenAt) && s.isAlive(o, seenAt)
	switch {
	case isSeen && (!expires || seenAt.Before(expiredAt)):
		o.state, o.processSince = StateProcess, seenAt
	case expires && !now.Before(expiredAt):
		o.state, o.failReason = StateVerifyFail, "the domain was not validated in time"
	}
}

// Says whether the value still proves anything. It does not once the order wants another one, and a value of DigiCert
// lasts for a day only (docs/design/cas.md §5.1).
func (s *Server) isAlive(o *order, at time.Time) bool {
	since := o.recordAt
	if renewal, ends := limit(s.knobs.ProofValue); ends {
		since = since.Add(time.Duration(o.proof.renewals) * renewal)
		if !at.Before(since.Add(renewal)) {
			return false
		}
	}
	return s.isWithinLifetime(&o.control, brand(o.product), since, at)
}

// isWithinLifetime tells whether a value that was told at since still proves anything.
func (s *Server) isWithinLifetime(c *control, brand string, since, at time.Time) bool {
	lifetime, limited := limit(s.knobs.TXTLifetime)
	isDigiCert := brand == "digicert" || brand == "symantec"
	return !limited || !isDigiCert || c.proof.uri != "" || at.Before(since.Add(lifetime))
}

func (s *Server) review(o *order, at time.Time) {
	if o.failReason != "" {
		o.state = StateVerifyFail
		return
	}
	o.state = StateCertificate
	s.issue(o, at)
}

// writeProof is the automatic DNS validation of CAS: it adds the record to a zone of the same account, and deletes
// other TXT records at the same name (docs/design/cas.md §5.3).
func (s *Server) writeProof(o *order) {
	if s.knobs.AutomaticDNS != On || o.proof.written || o.validateType != validateDNS || s.now().Before(o.recordAt) {
		return
	}
	o.proof.written = true
	z := s.zones.holding(o.proof.fqdn)
	if z == nil || z.account != o.account.id || s.isPublished(&o.control) {
		return
	}
	for _, r := range s.zones.at(o.proof.fqdn) {
		if r.kind == RecordTXT {
			s.zones.remove(r)
		}
	}
	s.forget()
	s.putProof(z, &o.control, o.recordAt)
}

// isPublished tells whether the record is there already, whoever put it there.
func (s *Server) isPublished(c *control) bool {
	return slices.ContainsFunc(s.zones.at(c.proof.fqdn), func(r *record) bool {
		return r.kind == c.proof.recordType && r.value == c.proof.value
	})
}

func (s *Server) putProof(z *zone, c *control, since time.Time) {
	s.zones.put(z, record{rr: z.relative(c.proof.fqdn), kind: c.proof.recordType, value: c.proof.value, since: since})
}
