// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const lookTimeout = 2 * time.Second

// glance is one look of the CA at what an order's applicant has published.
type glance struct {
	order   *order
	proof   proof
	domain  string
	visible bool
}

// look lets the CA look at every unvalidated order for which something may have changed. It must not be called under the lock, since
// the answer may come from the simulator's own DNS server.
func (s *Server) look() {
	glances := s.glances()
	for i := range glances {
		g := &glances[i]
		if g.proof.uri != "" {
			g.visible = true
			for _, host := range s.fileHosts(g.domain) {
				g.visible = g.visible && s.fetch(host, g.proof)
			}
		} else {
			g.visible = s.resolve(g.proof)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range glances {
		if g.order.state == StateDomainVerify {
			g.order.proof.version, g.order.proof.looked = g.proof.version, true
			s.note(g.order, g.visible)
		}
	}
	s.catchUp()
}

// glances are the looks that are worth it now.
func (s *Server) glances() []glance {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	var due []glance
	if s.dns == nil || s.closed {
		return nil
	}
	for _, o := range s.orders.all {
		if !o.isUnfinished() || o.state != StateDomainVerify || s.now().Before(o.recordAt) {
			continue
		}
		p := o.proof
		p.version = s.zones.version(p.fqdn)
		hasNews := !o.proof.looked || p.version != o.proof.version || s.zones.hasAlias(p.fqdn) // where an alias leads to may change unseen
		if p.uri != "" || s.opts.Resolver != "" || hasNews {
			due = append(due, glance{order: o, proof: p, domain: o.domain})
		}
	}
	return due
}

// note remembers what the CA saw. In our own zones it is known since when it could.
func (s *Server) note(o *order, visible bool) {
	since := s.now()
	switch {
	case !visible:
		since = time.Time{}
	case o.proof.uri == "" && s.opts.Resolver == "":
		since = s.zones.visibleSince(o.proof.fqdn, o.proof.recordType, o.proof.value)
	case !o.visibleSince.IsZero():
		return
	}
	if !since.IsZero() && since.Before(o.recordAt) {
		since = o.recordAt
	}
	o.visibleSince = since
}

// forget takes back what the CA saw and had no time to use, when it is gone from our zones. Whoever changes records calls it at once:
// afterwards nobody can tell since when they are gone.
func (s *Server) forget() {
	for _, o := range s.orders.all {
		isOurs := o.proof.uri == "" && s.opts.Resolver == ""
		if !o.visibleSince.IsZero() && isOurs && s.zones.visibleSince(o.proof.fqdn, o.proof.recordType, o.proof.value).IsZero() {
			o.visibleSince, o.proof.looked = time.Time{}, false
		}
	}
}

// resolve asks DNS for the record.
func (s *Server) resolve(p proof) bool {
	server := s.opts.Resolver
	if server == "" {
		server = s.DNSAddr()
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	query := new(dns.Msg)
	query.SetQuestion(dns.Fqdn(p.fqdn), dns.StringToType[p.recordType])
	answer, _, err := new(dns.Client).ExchangeContext(ctx, query, server)
	if err == nil && answer.Truncated {
		answer, _, err = (&dns.Client{Net: "tcp"}).ExchangeContext(ctx, query, server)
	}
	if err != nil {
		s.opts.Logf("the CA cannot resolve %s: %v", p.fqdn, err)
		return false
	}
	for _, rr := range answer.Answer {
		switch rr := rr.(type) {
		case *dns.TXT:
			if p.recordType == RecordTXT && strings.Join(rr.Txt, "") == p.value {
				return true
			}
		case *dns.CNAME:
			if p.recordType == RecordCNAME && canonical(rr.Target) == canonical(p.value) {
				return true
			}
		}
	}
	return false
}

// fileHosts are where the CA wants the file: of a domain and its www, at both (CAS contract §4).
func (s *Server) fileHosts(domain string) []string {
	apex := registrable(domain)
	if s.knobs.FileHosts == FileAtBoth && (domain == apex || domain == "www."+apex) {
		return []string{apex, "www." + apex}
	}
	return []string{domain}
}

// fetch gets the validation file as the CA does, without following redirects.
func (s *Server) fetch(host string, p proof) bool {
	if s.opts.WebAddr == "" {
		return false
	}
	dialer := &net.Dialer{}
	client := &http.Client{
		Timeout:       lookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, s.opts.WebAddr)
			},
		},
	}
	resp, err := client.Get("http://" + host + p.uri)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return err == nil && resp.StatusCode == http.StatusOK && strings.TrimSpace(string(body)) == p.value
}
