// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"crypto/x509"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The states of an order (docs/design/cas.md §3.4). ForceState takes others, too.
const (
	StateDomainVerify = "domain_verify"
	StateProcess      = "process"
	StateVerifyFail   = "verify_fail"
	StateCertificate  = "certificate"
	StatePayed        = "payed"
	StateUnknow       = "unknow"
)

// firstOrderID is the example of the documentation: larger than 2^53, so that no float64 holds it.
const firstOrderID = 98987582437920968

// order is an order as CAS knows it, and what the CA makes of it.
type order struct {
	id           string
	account      *account
	product      string
	csr          *x509.CertificateRequest
	fingerprint  string // of the CSR
	validateType string
	tags         map[string]string
	boughtAt     time.Time
	listedAt     time.Time

	control
	state        string
	processSince time.Time
	cancelledAt  time.Time // when a pending cancellation takes effect; zero without one
	failReason   string    // why the review fails or failed; empty if nothing speaks against it

	cert      certificate
	steering  steering
	released  bool // deleted, and its certificate given back to the plan
	vanished  bool // gone without a trace
	isForeign bool // made by nobody who calls
}

func (o *order) isUnfinished() bool {
	return !o.isGone() && (o.state == StateDomainVerify || o.state == StateProcess)
}

func (o *order) isGone() bool { return o.released || o.vanished }

// orderBook holds every order that was ever billed.
type orderBook struct {
	byID map[string]*order
	all  []*order // as they were bought
	csrs map[string]bool
}

func newOrderBook() orderBook {
	return orderBook{byID: map[string]*order{}, csrs: map[string]bool{}}
}

func (b *orderBook) add(o *order) {
	b.byID[o.id] = o
	later := slices.IndexFunc(b.all, func(other *order) bool { return other.boughtAt.After(o.boughtAt) })
	if later < 0 {
		later = len(b.all)
	}
	b.all = slices.Insert(b.all, later, o)
	b.csrs[o.fingerprint] = true
}

// findOrder returns an order of the caller's account.
func (s *Server) findOrder(c *call) (*order, *refusal) {
	if _, err := strconv.ParseInt(c.arg("OrderId"), 10, 64); err != nil {
		return nil, badRequest("InvalidParameter.OrderId", "The specified parameter OrderId is not valid.")
	}
	o := s.orders.byID[c.arg("OrderId")]
	if o == nil || o.isGone() || o.account != c.account() {
		return nil, refuse(404, "NotFoundOrder", "The order is not found.")
	}
	return o, nil
}

// idValue writes an order id as the knob says.
func (s *Server) idValue(id string) any {
	if s.knobs.OrderID == OrderIDNumber {
		number, _ := strconv.ParseInt(id, 10, 64)
		return number
	}
	return id
}

// certificateNames are what the CA puts into the certificate: the CN, and what it adds of its own if DNS proved the
// control of the domain (docs/design/cas.md §3.3).
func (o *order) certificateNames(extra bool) []string {
	names := []string{o.domain}
	if extra && o.validateType == validateDNS {
		names = append(names, freeName(o.domain))
	}
	return o.steering.steered(names)
}

// Returns the name that a CA adds to a domain at no cost.
func freeName(domain string) string {
	switch {
	case strings.HasPrefix(domain, "*."):
		return strings.TrimPrefix(domain, "*.")
	case strings.HasPrefix(domain, "www.") && registrable(domain) != domain:
		return strings.TrimPrefix(domain, "www.")
	default:
		return "www." + domain
	}
}

// Returns the names that a test wants, instead of the right ones.
func (t *steering) steered(names []string) []string {
	if t.names != nil {
		names = slices.Clone(t.names)
	}
	for _, name := range t.extraNames {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
