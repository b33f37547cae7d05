// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// ForeignOrder is an order that somebody else makes on the first account: in the console or from another cluster.
// Nobody who calls the simulator has its key.
type ForeignOrder struct {
	// Domain is the CN.
	Domain string `json:"domain"`
	// Product is the product code, and must have a resource plan with a certificate left. The default is
	// DefaultProduct.
	Product string `json:"product"`
	// BoughtAt is its BuyDate, in true time. The default is now.
	BoughtAt time.Time `json:"boughtAt"`
	// State is the state that the order has already. The default is StateDomainVerify. With StateCertificate, it was
	// issued when it was bought.
	State string            `json:"state"`
	Tags  map[string]string `json:"tags"`
}

// AddForeignOrder bills an order of somebody else, and returns its id. The order goes through its states as any other,
// and is validated by DNS. AddForeignOrder panics if there can be no such order.
func (s *Server) AddForeignOrder(domain string, change ...func(*ForeignOrder)) (id string) {
	wanted := ForeignOrder{Domain: domain}
	for _, c := range change {
		c(&wanted)
	}
	id, err := s.addForeignOrder(wanted)
	if err != nil {
		panic("cassim: " + err.Error())
	}
	return id
}

func (s *Server) addForeignOrder(wanted ForeignOrder) (id string, err error) {
	csr, err := foreignCSR(wanted.Domain)
	if err != nil {
		return "", err
	}
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	o := &order{
		account:      s.accounts[s.opts.Accounts[0].ID],
		product:      cmp.Or(wanted.Product, DefaultProduct),
		control:      control{domain: strings.ToLower(wanted.Domain)},
		csr:          csr,
		fingerprint:  fingerprint(csr.Raw),
		validateType: validateDNS,
		tags:         maps.Clone(wanted.Tags),
		boughtAt:     wanted.BoughtAt,
		isForeign:    true,
	}
	if o.boughtAt.IsZero() {
		o.boughtAt = s.now()
	}
	if refused := s.checkOrder(o); refused != nil {
		return "", fmt.Errorf("%s: %s", refused.code, refused.message)
	}
	p, refused := s.openPlan(o)
	if refused != nil {
		return "", fmt.Errorf("%s: %s", refused.code, refused.message)
	}
	s.bill(o, p)
	s.forceState(o, cmp.Or(wanted.State, StateDomainVerify), o.boughtAt)
	return o.id, nil
}

func foreignCSR(domain string) (*x509.CertificateRequest, error) {
	if len(domain) > maxCN || !isDomain(strings.TrimPrefix(domain, "*.")) {
		return nil, fmt.Errorf("%q is no domain of at most %d characters", domain, maxCN)
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: domain}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, newKey())
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificateRequest(der)
}

// ForeignHarm tells what callers did to foreign orders, or nil if they left all of them alone. Any request that names
// one is harm, whatever came of it, except DescribeCertificateState: whoever looks for an order of its own may have to
// read those of others. CallsFor counts these reads.
func (s *Server) ForeignHarm() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var harm []error
	for _, r := range s.requests {
		if o := s.orders.byID[r.OrderID]; o != nil && o.isForeign && r.Action != "DescribeCertificateState" {
			harm = append(harm, fmt.Errorf("%s named the order %s for %s of somebody else", r.Action, o.id, o.domain))
		}
	}
	return errors.Join(harm...)
}
