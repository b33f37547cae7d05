// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const lookTimeout = 2 * time.Second

// control is one name whose control the applicant is to prove, and what the CA has seen of the proof.
type control struct {
	domain       string
	recordAt     time.Time // when the validation data is told
	proof        proof
	visibleSince time.Time // zero while the CA cannot see the proof
	apart        []string  // hosts whose file at the same path proves another name
}

// watched is a name that the CA still looks at, until isOpen says that it need not.
type watched struct {
	*control
	isOpen func() bool
}

// glance is one look of the CA at what an applicant has published.
type glance struct {
	watched
	saw     proof
	hosts   []string // of a file, and how it is fetched
	scheme  string
	visible bool
}

// look lets the CA look at every unvalidated name for which something may have changed. It must not be called under the
// lock, since the answer may come from the simulator's own DNS server.
func (s *Server) look() {
	glances := s.glances()
	for i := range glances {
		g := &glances[i]
		if g.saw.uri != "" {
			g.visible = true
			for _, host := range g.hosts {
				g.visible = g.visible && s.fetch(host, g)
			}
		} else {
			g.visible = s.resolve(g.saw)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range glances {
		if g.isOpen() {
			g.proof.version, g.proof.looked = g.saw.version, true
			s.note(g.control, g.visible)
		}
	}
	s.catchUp()
}

// Returns the looks that are worth it now.
func (s *Server) glances() []glance {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	var due []glance
	if s.dns == nil || s.closed {
		return nil
	}
	for _, w := range s.watched() {
		if s.now().Before(w.recordAt) {
			continue
		}
		p := w.proof
		p.version = s.zones.version(p.fqdn)
		// where an alias leads to may change unseen
		hasNews := !w.proof.looked || p.version != w.proof.version || s.zones.hasAlias(p.fqdn)
		if p.uri != "" || s.opts.Resolver != "" || hasNews {
			due = append(due, glance{watched: w, saw: p, hosts: s.fileHosts(w.control), scheme: s.knobs.FileScheme})
		}
	}
	return due
}

// watched are all names that the CA waits for.
func (s *Server) watched() []watched {
	var open []watched
	for _, o := range s.orders.all {
		if o.isUnfinished() && o.state == StateDomainVerify {
			open = append(open, watched{&o.control, func() bool { return o.state == StateDomainVerify }})
		}
	}
	return append(open, s.watchedApplications()...)
}

// note remembers what the CA saw. In our own zones it is known since when it could.
func (s *Server) note(c *control, visible bool) {
	since := s.now()
	switch {
	case !visible:
		since = time.Time{}
	case c.proof.uri == "" && s.opts.Resolver == "":
		since = s.zones.visibleSince(c.proof.fqdn, c.proof.recordType, c.proof.value)
	case !c.visibleSince.IsZero():
		return
	}
	if !since.IsZero() && since.Before(c.recordAt) {
		since = c.recordAt
	}
	c.visibleSince = since
}

// Takes back what the CA has seen in our zones and not used yet, if it is gone from there. Whoever changes records
// calls it at once, because later nobody can tell since when they are gone.
func (s *Server) forget() {
	for _, o := range s.orders.all {
		s.forgetGone(&o.control)
	}
	for _, w := range s.watchedApplications() {
		s.forgetGone(w.control)
	}
}

func (s *Server) forgetGone(c *control) {
	isOurs := c.proof.uri == "" && s.opts.Resolver == ""
	if !c.visibleSince.IsZero() && isOurs &&
		s.zones.visibleSince(c.proof.fqdn, c.proof.recordType, c.proof.value).IsZero() {
		c.visibleSince, c.proof.looked = time.Time{}, false
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

// Returns the hosts on which the CA wants the file: for a domain and its www, both (docs/design/cas.md §5.4).
func (s *Server) fileHosts(c *control) []string {
	apex := registrable(c.domain)
	if s.knobs.FileHosts != FileAtBoth || c.domain != apex && c.domain != "www."+apex {
		return []string{c.domain}
	}
	return slices.DeleteFunc([]string{apex, "www." + apex}, func(host string) bool {
		return host != c.domain && slices.Contains(c.apart, host)
	})
}

// fetch gets the validation file as the CA does (knob fileScheme).
func (s *Server) fetch(host string, g *glance) bool {
	return g.scheme != FileByHTTP && s.fetchFrom(s.opts.WebTLSAddr, "https://"+host, g.saw) ||
		g.scheme != FileByHTTPS && s.fetchFrom(s.opts.WebAddr, "http://"+host, g.saw)
}

// fetchFrom follows no redirect.
func (s *Server) fetchFrom(addr, origin string, p proof) bool {
	if addr == "" {
		return false
	}
	dialer := &net.Dialer{}
	client := &http.Client{
		Timeout:       lookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, addr)
			},
			TLSClientConfig: &tls.Config{RootCAs: s.opts.WebRoots, MinVersion: tls.VersionTLS12},
		},
	}
	resp, err := client.Get(origin + p.uri)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return err == nil && resp.StatusCode == http.StatusOK && strings.TrimSpace(string(body)) == p.value
}
