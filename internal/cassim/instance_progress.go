// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/rsa"
	"slices"
	"strconv"
	"strings"
	"time"
)

// catchUpInstances brings every instance to the present.
func (s *Server) catchUpInstances() {
	for _, i := range s.instances.all {
		if !i.submitAt.IsZero() && !s.now().Before(i.submitAt) && i.open() == nil {
			s.submit(i, byCAS, i.form.isForeign, i.submitAt)
		}
		if a := i.open(); a != nil {
			s.progress(a)
		}
		s.host(i)
		s.remember(i)
	}
}

// byCAS is who submits what CAS submits by itself.
const byCAS = "cas"

// submitByItself is what CAS does with complete data (knob autoSubmit).
func (s *Server) submitByItself(i *subscription) {
	delay, does := limit(s.knobs.AutoSubmit)
	if !does || i.settled != InstanceInactive || i.form.missing(i.CertificateType) != "" {
		return
	}
	if i.submitAt = s.now().Add(delay); delay == 0 {
		s.submit(i, byCAS, i.form.isForeign, s.now())
	}
}

// progress takes an application as far as the time allows.
func (s *Server) progress(a *application) {
	if a.instance.steering.frozen || a.instance.isFrozenByStatus() || !a.isOpen() || s.now().Before(a.pendingAt) {
		return
	}
	a.state = applicationPending
	s.writeControls(a)
	works := a.cancelAt.IsZero() || s.knobs.CancelRace == CancelLoses
	expiry, expires := limit(s.knobs.PendingExpiry)
	expiredAt := a.pendingAt.Add(expiry)
	isExpired := expires && !s.now().Before(expiredAt)
	isCancelled := !a.cancelAt.IsZero() && !s.now().Before(a.cancelAt)
	if works && a.validatedAt.IsZero() {
		if isExpired || isCancelled {
			s.lookBack(a)
		}
		a.validatedAt = s.validatedAt(a)
	}
	issuedAt := a.validatedAt.Add(s.opts.CADelay)
	isIssued := works && !a.validatedAt.IsZero() && !s.now().Before(issuedAt)
	switch {
	case isIssued && (!isCancelled || !a.cancelAt.Before(issuedAt)) && (!isExpired || a.validatedAt.Before(expiredAt)):
		s.issueApplication(a, issuedAt)
	case isCancelled:
		s.withdraw(a, a.cancelAt)
	case isExpired && (a.validatedAt.IsZero() || !a.validatedAt.Before(expiredAt)):
		s.fail(a, "the domain was not validated in time", expiredAt)
	}
}

// Looks for what the CA has seen in our zones since it was last made to look, before an application would end
// otherwise.
func (s *Server) lookBack(a *application) {
	for _, c := range a.controls {
		if c.proof.uri == "" && s.opts.Resolver == "" {
			s.note(c, true)
		}
	}
}

// Says whether the instance died under its application.
func (i *subscription) isFrozenByStatus() bool { return isDead(i.forced) }

// validatedAt is when the CA had seen the proof of all names, or zero.
func (s *Server) validatedAt(a *application) time.Time {
	var last time.Time
	for _, c := range a.controls {
		since := c.visibleSince
		if s.validatesUnseen(a, c) {
			since = c.recordAt
		}
		at := since.Add(s.opts.DCVDelay)
		isAlive := s.isWithinLifetime(c, strings.ToLower(a.instance.Brand), c.recordAt, at)
		if since.IsZero() || s.now().Before(at) || !isAlive {
			return time.Time{}
		}
		last = later(last, at)
	}
	return last
}

// validatesUnseen tells whether CAS validates the name without a record that anybody else is told of (knob
// instanceDNS).
func (s *Server) validatesUnseen(a *application, c *control) bool {
	z := s.zones.holding(c.domain)
	return s.knobs.InstanceDNS == DNSUnseen && !a.byFile && z != nil && z.account == a.instance.account.id
}

// Validates by DNS as CAS does automatically: adds records that are missing in zones of the same account.
func (s *Server) writeControls(a *application) {
	delay, does := limit(s.knobs.InstanceDNS)
	for _, c := range a.controls {
		at := c.recordAt.Add(delay)
		if !does || a.byFile || c.proof.written || s.now().Before(at) {
			continue
		}
		c.proof.written = true
		if z := s.zones.holding(c.proof.fqdn); z != nil && z.account == a.instance.account.id && !s.isPublished(c) {
			s.putProof(z, c, at)
		}
	}
}

// watchedApplications are the names of applications that the CA waits for.
func (s *Server) watchedApplications() []watched {
	var open []watched
	for _, a := range s.instances.applications {
		isOpen := func() bool { return a.state == applicationPending && a.validatedAt.IsZero() }
		for _, c := range a.controls {
			if isOpen() {
				open = append(open, watched{c, isOpen})
			}
		}
	}
	return open
}

func (s *Server) withdraw(a *application, at time.Time) {
	i := a.instance
	a.state, a.endedAt = applicationWithdrawn, at
	if len(i.issued()) == 0 {
		i.settled = s.knobs.AfterCancel
	}
	i.hidesCert = i.hidesCert || s.knobs.CancelOfReapply == CertificateCleared
}

// Ends an application because the CA refuses it.
func (s *Server) fail(a *application, reason string, at time.Time) {
	i := a.instance
	a.state, a.failReason, a.endedAt = applicationFailed, reason, at
	if s.knobs.AfterFailedReview != InstanceInactive || len(i.issued()) == 0 {
		i.settled = s.knobs.AfterFailedReview
	}
	if s.knobs.FailedCSR == Dropped {
		i.form.csr, i.form.csrText = nil, ""
	}
}

// testValidity is that of the certificate of a TEST instance, as long as its term.
const testValidity = 90 * 24 * time.Hour

func (s *Server) issueApplication(a *application, at time.Time) {
	i := a.instance
	before := i.issued()
	if i.startsAt.IsZero() {
		i.startsAt = at
	}
	lasts := validity
	if i.Type == InstanceTest {
		lasts = testValidity
	}
	steered := i.steering
	lasts = cmp.Or(steered.lasts, lasts)
	if steered.notBefore.IsZero() {
		steered.notBefore, steered.notAfter = at.Truncate(time.Second), at.Truncate(time.Second).Add(lasts)
		if end, _ := i.endsAt(); s.knobs.NextValidity == ValidityCut && steered.notAfter.After(end) {
			steered.notAfter = end
		}
	}
	a.state, a.endedAt, i.settled, i.hidesCert = applicationIssued, at, InstanceNormal, false
	a.cert = s.certify(a.csr, a.names[0], s.namesToCertify(a), &steered, at)
	if s.knobs.IDTypes == IDLarge {
		id, _ := strconv.ParseInt(a.cert.id, 10, 64)
		a.cert.id = strconv.FormatInt(id+1<<33, 10)
	}
	s.retire(before, at)
}

// namesToCertify are the names of the domain list, and what the CA adds to the first of them.
func (s *Server) namesToCertify(a *application) []string {
	names := slices.Clone(a.names)
	if free := freeName(names[0]); s.knobs.ExtraNames == On && !a.byFile && !slices.Contains(names, free) {
		names = append(names, free)
	}
	return a.instance.steering.steered(names)
}

// retire is what a new certificate does to the older ones.
func (s *Server) retire(before []*application, at time.Time) {
	for _, old := range before {
		if delay, revokes := limit(s.knobs.OldCertificate); revokes && old.revokedAt.IsZero() {
			old.revokedAt = at.Add(delay)
		}
		old.toldRevoked = old.toldRevoked || s.knobs.OldCertificate == OldToldRevoked
	}
}

// keySize is that of the CSR's key in bits.
func (a *application) keySize() int {
	if key, isRSA := a.csr.PublicKey.(*rsa.PublicKey); isRSA {
		return key.N.BitLen()
	}
	return 256
}
