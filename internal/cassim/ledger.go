// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"maps"
	"time"
)

// LedgerEntry is a create that was executed, and so billed, whoever got to know of it.
type LedgerEntry struct {
	OrderID, AccountID, ProductCode string
	// Domain is the CN, in lower case.
	Domain string
	// CSRFingerprint is the SHA-256 of the CSR's DER in hexadecimal.
	CSRFingerprint string
	BoughtAt       time.Time
	Tags           map[string]string
	// State is the present one, or the last before the order was deleted.
	State string
	// Released tells that DeleteCertificateRequest gave the certificate back to the plan.
	Released bool
	// Foreign tells that AddForeignOrder made it, and no call.
	Foreign bool
}

// OrderView is all that is known of an order, by the simulator and not only by its customer.
type OrderView struct {
	LedgerEntry
	ValidateType string
	// RecordFQDN is where the CA looks, and RecordDomain how the customer is told. Both are empty with FILE.
	RecordFQDN, RecordDomain, RecordType, RecordValue string
	// URI and Content are the validation file. Both are empty with DNS.
	URI, Content string
	// RecordAt is when the order began to tell them, or will.
	RecordAt time.Time
	// VisibleSince, ValidatedAt and IssuedAt are zero if it has not happened.
	VisibleSince, ValidatedAt, IssuedAt time.Time
	// FailReason is why the review failed or is going to.
	FailReason string
	// Certificate is PEM as DescribeCertificateState gives it, and CertID the number in the store. Both are empty
	// before the issue.
	Certificate, CertID string
	Vanished            bool
}

// Ledger returns an entry for each order ever billed, in the order of their purchase.
func (s *Server) Ledger() []LedgerEntry {
	entries := []LedgerEntry{}
	for _, o := range s.Orders() {
		entries = append(entries, o.LedgerEntry)
	}
	return entries
}

// Orders returns every order ever billed, in the order of their purchase.
func (s *Server) Orders() []OrderView {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	views := []OrderView{}
	for _, o := range s.orders.all {
		views = append(views, s.view(o))
	}
	return views
}

// Order returns one order, also one that was deleted or vanished.
func (s *Server) Order(id string) (OrderView, bool) {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	o := s.orders.byID[id]
	if o == nil {
		return OrderView{}, false
	}
	return s.view(o), true
}

func (s *Server) view(o *order) OrderView {
	v := OrderView{
		LedgerEntry: LedgerEntry{
			OrderID: o.id, AccountID: o.account.id, ProductCode: o.product, Domain: o.domain,
			CSRFingerprint: o.fingerprint,
			BoughtAt:       o.boughtAt, Tags: maps.Clone(o.tags), State: o.state, Released: o.released,
			Foreign: o.isForeign,
		},
		ValidateType: o.validateType,
		RecordAt:     o.recordAt,
		VisibleSince: o.visibleSince, ValidatedAt: o.processSince, IssuedAt: o.cert.issuedAt,
		FailReason: o.failReason,
		CertID:     o.cert.id,
		Vanished:   o.vanished,
	}
	if o.validateType == validateFile {
		v.URI, v.Content = o.proof.uri, o.proof.value
	} else {
		v.RecordFQDN, v.RecordDomain, v.RecordType, v.RecordValue = o.proof.fqdn, o.proof.told, o.proof.recordType,
			o.proof.value
	}
	if o.cert.leaf != nil {
		v.Certificate = s.chainOf(o)
	}
	return v
}

// Calls counts the requests that have arrived by their action, refused ones included.
func (s *Server) Calls() map[string]int {
	return s.count(func(Request) bool { return true })
}

// CallsFor counts the requests that name an order or made it.
func (s *Server) CallsFor(orderID string) map[string]int {
	return s.count(func(r Request) bool { return r.OrderID == orderID })
}

func (s *Server) count(matches func(Request) bool) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := map[string]int{}
	for _, r := range s.requests {
		if matches(r) {
			calls[r.Action]++
		}
	}
	return calls
}

// Requests returns every request that has arrived, in its order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	copies := make([]Request, 0, len(s.requests))
	for _, r := range s.requests {
		r.Params = maps.Clone(r.Params)
		copies = append(copies, r)
	}
	return copies
}
