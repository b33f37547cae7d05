// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"fmt"
	"slices"
	"time"
)

// steerIssue changes what the CA makes of the applications of an instance from now on.
func (s *Server) steerIssue(id string, change func(*steering)) {
	s.steerInstance(id, func(i *subscription) error { change(&i.steering); return nil })
}

// FreezeInstance keeps the application of an instance where it is, whatever the time, the DNS or a cancellation would
// make of it.
func (s *Server) FreezeInstance(id string) { s.steerIssue(id, func(t *steering) { t.frozen = true }) }

// ThawInstance lets the application go on. What it missed happens at once, dated back to when it would have happened.
func (s *Server) ThawInstance(id string) { s.steerIssue(id, func(t *steering) { t.frozen = false }) }

// IgnoreInstanceCancel makes the CA go on with an application, though CAS accepts that it is cancelled.
func (s *Server) IgnoreInstanceCancel(id string) {
	s.steerIssue(id, func(t *steering) { t.ignoresCancel = true })
}

// InstanceWrongKey makes the CA issue for another key than the CSR's.
func (s *Server) InstanceWrongKey(id string) {
	s.steerIssue(id, func(t *steering) { t.wrongKey = true })
}

// InstanceWrongNames replaces the names of the certificates to be issued.
func (s *Server) InstanceWrongNames(id string, names ...string) {
	s.steerIssue(id, func(t *steering) { t.names = slices.Clone(names) })
}

// InstanceExtraNames adds to the names of the certificates to be issued.
func (s *Server) InstanceExtraNames(id string, names ...string) {
	s.steerIssue(id, func(t *steering) { t.extraNames = slices.Clone(names) })
}

// InstanceWrongDates replaces the dates of the certificates to be issued.
func (s *Server) InstanceWrongDates(id string, notBefore, notAfter time.Time) {
	s.steerIssue(id, func(t *steering) { t.notBefore, t.notAfter = notBefore, notAfter })
}

// InstanceChain sets the form of the chain that GetUserCertificateDetail gives for the certificates of an instance.
func (s *Server) InstanceChain(id string, chain ChainForm) {
	if err := checkChain(chain); err != nil {
		panic("cassim: " + err.Error())
	}
	s.steerIssue(id, func(t *steering) { t.chain = chain })
}

// InstanceLasts sets how long the certificates of an instance live from now on. 0 is as long as usual.
func (s *Server) InstanceLasts(id string, life time.Duration) {
	s.steerIssue(id, func(t *steering) { t.lasts = life })
}

// VanishInstance makes an instance unknown to CAS. Its application goes on.
func (s *Server) VanishInstance(id string) {
	s.steerInstance(id, func(i *subscription) error { i.vanished = true; return nil })
}

// ReappearInstance makes an instance known to CAS again.
func (s *Server) ReappearInstance(id string) {
	s.steerInstance(id, func(i *subscription) error { i.vanished = false; return nil })
}

// RevokeLatest revokes the latest certificate of an instance, as a person does.
func (s *Server) RevokeLatest(id string) {
	s.steerInstance(id, s.revokeLatest)
}

func (s *Server) revokeLatest(i *subscription) error {
	issued := i.issued()
	if len(issued) == 0 {
		return fmt.Errorf("the instance has issued nothing")
	}
	issued[len(issued)-1].revokedAt = s.now()
	return nil
}
