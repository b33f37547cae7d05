// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// byConsole and byHosting stand for who has done what no caller has done.
const (
	byConsole = "console"
	byHosting = "hosting"
)

// steerInstance panics for an instance that does not exist, and for what cannot be, which are mistakes in a test.
func (s *Server) steerInstance(id string, change func(*subscription) error) {
	if err := s.trySteerInstance(id, change); err != nil {
		panic("cassim: " + err.Error())
	}
}

func (s *Server) trySteerInstance(id string, change func(*subscription) error) error {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	i := s.instances.byID[id]
	if i == nil {
		return fmt.Errorf("there is no instance %q", id)
	}
	err := change(i)
	s.catchUp()
	return err
}

// WriteInConsole writes as a person does in the console: names on an instance, with a key and a CSR of their own,
// whatever was there before. It panics if the instance cannot be written on.
func (s *Server) WriteInConsole(id string, names ...string) {
	s.steerInstance(id, func(i *subscription) error { return s.writeInConsole(i, names) })
}

func (s *Server) writeInConsole(i *subscription, names []string) error {
	if refused := s.checkUpdatable(i); refused != nil {
		return fmt.Errorf("%s: %s", refused.code, refused.message)
	}
	if !i.fits(names) || !isDomain(strings.TrimPrefix(names[0], "*.")) {
		return fmt.Errorf("the instance does not fit the names %q", names)
	}
	csr, text := onlineCSR(names[0])
	i.form.names, i.form.isOnline, i.form.csr, i.form.csrText = slices.Clone(names), false, csr, text
	i.form.csrBy, i.form.isForeign = byConsole, true
	if i.form.contacts == nil {
		i.form.contacts = []int64{DefaultContact}
	}
	s.submitByItself(i)
	return nil
}

// ApplyInConsole submits what is written on the instance, whoever wrote it, as a person does.
func (s *Server) ApplyInConsole(id string) {
	s.steerInstance(id, func(i *subscription) error { return s.applyInConsole(i) })
}

func (s *Server) applyInConsole(i *subscription) error {
	if i.open() != nil {
		return fmt.Errorf("an application is under way")
	}
	if refused := s.checkApplicable(i); refused != nil {
		return fmt.Errorf("%s: %s", refused.code, refused.message)
	}
	if missing := i.form.missing(i.CertificateType); missing != "" {
		return fmt.Errorf("%s is missing", missing)
	}
	s.submit(i, byConsole, true, s.now())
	return nil
}

// CancelInConsole withdraws the application that is under way, whoever made it, as a person does.
func (s *Server) CancelInConsole(id string) {
	s.steerInstance(id, func(i *subscription) error { return s.cancelInConsole(i) })
}

func (s *Server) cancelInConsole(i *subscription) error {
	a := i.open()
	if a == nil || a.state != applicationPending {
		return fmt.Errorf("nothing is pending")
	}
	s.cancel(a)
	return nil
}

// HostInstance makes CAS replace the certificate of an instance now, as it does by itself where AutoReissue is enabled:
// with a CSR and a key of its own. It panics if the instance has issued nothing, or if an application is under way.
func (s *Server) HostInstance(id string) {
	s.steerInstance(id, func(i *subscription) error { return s.replaceHosted(i, s.now()) })
}

func (s *Server) replaceHosted(i *subscription, at time.Time) error {
	issued := i.issued()
	if len(issued) == 0 || i.open() != nil {
		return fmt.Errorf("the instance has nothing to replace, or an application is under way")
	}
	i.form.isOnline, i.form.csr, i.form.csrText, i.form.csrBy, i.form.isForeign = true, nil, "", byHosting, true
	i.form.names = slices.Clone(issued[len(issued)-1].names)
	if a := s.submit(i, byHosting, true, at); a.isOpen() {
		s.issueApplication(a, at)
	}
	return nil
}

// Hosts as CAS does by itself, unless the instance ends with its certificate.
func (s *Server) host(i *subscription) {
	before, does := limit(s.knobs.Hosting)
	issued := i.issued()
	if !does || i.form.autoReissue != enabled || len(issued) == 0 || s.status(i) != InstanceNormal {
		return
	}
	due := issued[len(issued)-1].cert.notAfter.Add(-before)
	if end, _ := i.endsAt(); !s.now().Before(due) && due.Add(before).Before(end) {
		_ = s.replaceHosted(i, due) // its conditions were looked at
	}
}

// SetHosting enables or disables AutoReissue, as a person does in the console.
func (s *Server) SetHosting(id string, isOn bool) {
	s.steerInstance(id, func(i *subscription) error { i.setHosting(isOn); return nil })
}

func (i *subscription) setHosting(isOn bool) {
	i.form.autoReissue = map[bool]string{true: enabled, false: disabled}[isOn]
}

// TagInConsole replaces the tags of an instance, as a person does.
func (s *Server) TagInConsole(id string, tags map[string]string) {
	s.steerInstance(id, func(i *subscription) error { i.form.tags = maps.Clone(tags); return nil })
}

// UpgradeInstance pays for other numbers of names on an instance that is in use, as a person does.
func (s *Server) UpgradeInstance(id string, singleNames, wildcardNames int) {
	s.steerInstance(id, func(i *subscription) error { return i.upgrade(singleNames, wildcardNames) })
}

func (i *subscription) upgrade(singleNames, wildcardNames int) error {
	if singleNames < 0 || wildcardNames < 0 || singleNames+wildcardNames == 0 {
		return fmt.Errorf("an instance serves one name at least")
	}
	i.SingleNames, i.WildcardNames, i.upgradeStatus = singleNames, wildcardNames, "payed"
	return nil
}

// SetInstanceStatus gives an instance a status, whatever is true. willExpire, expired, refund and closed are possible
// while an application is pending, and the last three end what the CA does for it. Empty restores the true status.
func (s *Server) SetInstanceStatus(id, status string) {
	s.steerInstance(id, func(i *subscription) error { i.forced = status; return nil })
}

// RefuseSubmission makes the next application fail before it is pending: its task tells the reason.
func (s *Server) RefuseSubmission(id, reason string) {
	s.steerInstance(id, func(i *subscription) error { return i.refuseNext(reason) })
}

func (i *subscription) refuseNext(reason string) error {
	i.refusal = cmp.Or(reason, "the application is refused")
	return nil
}

// FailApplication makes the CA refuse the application that is under way. It panics if there is none.
func (s *Server) FailApplication(id, reason string) {
	s.steerInstance(id, func(i *subscription) error { return s.failNow(i, reason) })
}

func (s *Server) failNow(i *subscription, reason string) error {
	a := i.open()
	if a == nil {
		return fmt.Errorf("no application is under way")
	}
	s.fail(a, cmp.Or(reason, "the authority says no"), s.now())
	return nil
}
