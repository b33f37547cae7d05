// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// The states of an order (CAS contract §2).
const (
	stateVerify      = "domain_verify"
	stateProcess     = "process"
	stateVerifyFail  = "verify_fail"
	stateCertificate = "certificate"
	statePayed       = "payed"
)

// order is one application.
type order struct {
	id, product, domain string
	account             *account
	csr                 *x509.CertificateRequest
	csrText             string
	tags                map[string]string
	boughtAt            time.Time
	state               string
	forced              bool
	deleted             bool
	recordName, value   string
	validatedAt         time.Time
	leaf                *x509.Certificate

	wrongKey            bool
	wrongNames          []string
	extraNames          []string
	notBefore, notAfter time.Time
}

// LedgerEntry is an order that was made, whether or not its caller heard of it.
type LedgerEntry struct {
	OrderID, ProductCode, Domain string
	BoughtAt                     time.Time
	Tags                         map[string]string
	// Released says that the order was deleted and its certificate given back.
	Released bool
	State    string
}

// Ledger lists all orders that were ever made, oldest first.
func (s *Server) Ledger() []LedgerEntry {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	entries := []LedgerEntry{}
	for _, o := range s.sorted() {
		entries = append(entries, LedgerEntry{
			OrderID: o.id, ProductCode: o.product, Domain: o.domain, BoughtAt: o.boughtAt, Tags: o.tags, Released: o.deleted, State: o.state,
		})
	}
	return entries
}

func (s *Server) sorted() []*order {
	var all []*order
	for _, o := range s.orders {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *order) int { return strings.Compare(a.id, b.id) })
	return all
}

// advance moves an order to where it is by now.
func (s *Server) advance(o *order) {
	now := s.clock.Now()
	told := o.boughtAt.Add(s.options.RecordDelay)
	if o.forced || o.deleted || now.Before(told) {
		return
	}
	if o.state == stateVerify && o.validatedAt.IsZero() {
		if s.knobs.AutomaticDNS {
			s.zones.publish(o.recordName, s.recordType(), o.value, told)
		}
		if since, ok := s.lookUp(o); ok {
			o.validatedAt = since
			if since.Before(told) {
				o.validatedAt = told
			}
		}
	}
	if o.validatedAt.IsZero() {
		return
	}
	review := o.validatedAt.Add(s.options.DCVDelay)
	if o.state == stateVerify && !now.Before(review) {
		o.state = stateProcess
		if s.knobs.CSRReuseRefused && s.csrUsedBefore(o) {
			o.state = stateVerifyFail
		}
	}
	if o.state == stateProcess && !now.Before(review.Add(s.options.CADelay)) {
		o.state = stateCertificate
		o.account.plans[o.product].issued++
		o.leaf = s.authority.issue(o, now)
	}
}

func (s *Server) csrUsedBefore(o *order) bool {
	return slices.ContainsFunc(s.sorted(), func(other *order) bool { return other.csrText == o.csrText && other.boughtAt.Before(o.boughtAt) })
}

func (s *Server) recordType() string {
	if s.knobs.RecordType != "" {
		return s.knobs.RecordType
	}
	return "TXT"
}

// lookUp asks DNS for the record, over the wire, as a CA does. It returns since when the record can be seen.
func (s *Server) lookUp(o *order) (time.Time, bool) {
	question := new(dns.Msg)
	question.SetQuestion(dns.Fqdn(o.recordName), dns.StringToType[s.recordType()])
	ctx, cancel := withTimeout()
	defer cancel()
	reply, _, err := (&dns.Client{}).ExchangeContext(ctx, question, s.dns.addr)
	if err != nil {
		return time.Time{}, false
	}
	for _, rr := range reply.Answer {
		found := false
		switch rr := rr.(type) {
		case *dns.TXT:
			found = strings.Join(rr.Txt, "") == o.value
		case *dns.CNAME:
			found = strings.EqualFold(strings.TrimSuffix(rr.Target, "."), o.value)
		}
		if found {
			return s.zones.since(o.recordName, o.value), true
		}
	}
	return time.Time{}, false
}

// recordDomain is the name of the record as CAS tells it.
func (s *Server) recordDomain(o *order) string {
	switch s.knobs.RecordDomain {
	case RecordFQDN:
		return o.recordName
	case RecordTrailingDot:
		return o.recordName + "."
	case RecordUpperCase:
		return strings.ToUpper(o.recordName)
	default:
		if zone := s.zones.holding(o.recordName); zone != nil {
			return strings.TrimSuffix(o.recordName, "."+zone.name)
		}
		return o.recordName
	}
}

// ForceState puts an order into a state, for good.
func (s *Server) ForceState(orderID, state string) {
	s.steer(orderID, func(o *order) { o.state, o.forced = state, true })
}

// WrongKey lets the certificate be for another key.
func (s *Server) WrongKey(orderID string) { s.steer(orderID, func(o *order) { o.wrongKey = true }) }

// WrongNames lets the certificate have other names.
func (s *Server) WrongNames(orderID string, names ...string) {
	s.steer(orderID, func(o *order) { o.wrongNames = names })
}

// ExtraNames lets the CA add names.
func (s *Server) ExtraNames(orderID string, names ...string) {
	s.steer(orderID, func(o *order) { o.extraNames = names })
}

// WrongDates lets the certificate have other dates.
func (s *Server) WrongDates(orderID string, notBefore, notAfter time.Time) {
	s.steer(orderID, func(o *order) { o.notBefore, o.notAfter = notBefore, notAfter })
}

func (s *Server) steer(orderID string, change func(*order)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	o := s.orders[orderID]
	if o == nil {
		panic(fmt.Sprintf("the simulator has no order %q", orderID))
	}
	change(o)
}

// SetPackage sets the numbers of a plan in the first account.
func (s *Server) SetPackage(product string, total, used int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.accounts[0].plans[product] = &plan{total: total, used: used}
}

// RemovePackage takes a plan from the first account.
func (s *Server) RemovePackage(product string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.accounts[0].plans, product)
}

// DenyAction takes an action from a key's permissions.
func (s *Server) DenyAction(keyID, action string) {
	s.changeKey(keyID, func(k *Key) { k.Denied = append(k.Denied, action) })
}

// AllowAction gives it back.
func (s *Server) AllowAction(keyID, action string) {
	s.changeKey(keyID, func(k *Key) { k.Denied = slices.DeleteFunc(k.Denied, func(d string) bool { return d == action }) })
}

// SetKeyDisabled disables a key, or enables it again.
func (s *Server) SetKeyDisabled(keyID string, disabled bool) {
	s.changeKey(keyID, func(k *Key) { k.Disabled = disabled })
}

func (s *Server) changeKey(keyID string, change func(*Key)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, a := range s.accounts {
		if key := a.keys[keyID]; key != nil {
			change(key)
		}
	}
}
