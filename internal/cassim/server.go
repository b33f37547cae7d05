// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is the simulator. It is safe for concurrent use.
type Server struct {
	opts      Options
	authority *authority
	dns       *dnsServer
	web       *endpoint
	imds      *endpoint // the metadata server
	proxy     *endpoint
	tunnels   *tunnels
	tls       *tlsAuthority
	done      sync.WaitGroup
	closing   chan struct{} // closed by Close

	mu        sync.Mutex // guards everything below
	knobs     Knobs      // with every default spelled out
	skew      time.Duration
	accounts  map[string]*account
	keys      map[string]*key
	nonces    map[string]bool
	buckets   map[bucketKey]*bucket
	orders    orderBook
	instances instanceBook
	listing   listing
	zones     zoneBook
	faults    []*injected
	lastFault int
	hung      chan struct{} // closed and replaced when a call begins or ends to hang
	requests  []Request
	instance  instance
	lastID    int64
	closed    bool
}

// New makes a simulator that does not listen yet. It panics if the options contradict each other, which is a mistake in
// a test.
func New(opts Options) *Server {
	s := &Server{
		opts:      opts.withDefaults(),
		authority: newAuthority(),
		tls:       newTLSAuthority(),
		accounts:  map[string]*account{},
		keys:      map[string]*key{},
		nonces:    map[string]bool{},
		buckets:   map[bucketKey]*bucket{},
		orders:    newOrderBook(),
		instances: instanceBook{byID: map[string]*subscription{}},
		zones:     newZoneBook(),
		closing:   make(chan struct{}),
		hung:      make(chan struct{}),
		lastID:    firstOrderID,
	}
	var err error
	if s.knobs, err = opts.Knobs.effective(); err != nil {
		panic("cassim: " + err.Error())
	}
	for _, a := range s.opts.Accounts {
		s.addAccount(a)
	}
	s.instance = instance{mode: V1AndV2, tokens: map[string]time.Time{}}
	if opts.InstanceRole != "" {
		s.SetInstanceRole(opts.InstanceRole)
	}
	return s
}

// Start begins to listen on all addresses.
func (s *Server) Start() (err error) {
	if s.dns, err = s.serveDNS(s.opts.DNSAddr); err != nil {
		return fmt.Errorf("cassim: DNS: %w", err)
	}
	s.tunnels = newTunnels()
	for _, begin := range []struct {
		at      **endpoint
		addr    string
		handler http.Handler
	}{
		{&s.web, s.opts.Addr, s.handler()},
		{&s.imds, s.opts.MetadataAddr, s.metadata()},
		{&s.proxy, s.opts.ProxyAddr, s.forward()},
	} {
		listener, err := net.Listen("tcp", begin.addr)
		if err != nil {
			s.Close()
			return fmt.Errorf("cassim: %w", err)
		}
		*begin.at = s.serve(listener, begin.handler)
	}
	s.tunnels.endpoint = s.serve(s.tunnels, s.handler())
	return nil
}

// Close ends all that Start began, and waits for it.
func (s *Server) Close() {
	if s.dns == nil {
		return
	}
	s.mu.Lock()
	if !s.closed {
		close(s.closing)
	}
	s.closed = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, e := range []*endpoint{s.web, s.imds, s.proxy, s.tunnels.endpoint} {
		e.close(ctx)
	}
	s.dns.close()
	s.done.Wait()
}

// enter tells whether the simulator still serves. If so, Close waits until s.done is told.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.done.Add(1)
	}
	return !s.closed
}

// URL is where CAS, Alidns and STS are, which the Version of a request tells apart, and below /-/ the admin API.
func (s *Server) URL() string { return s.web.url() }

// DNSAddr is the host:port of the DNS server, UDP and TCP.
func (s *Server) DNSAddr() string { return s.dns.addr }

// SetKnobs changes knobs from now on. It panics if a value does not exist.
func (s *Server) SetKnobs(change func(*Knobs)) {
	if err := s.changeKnobs(func(k *Knobs) error { change(k); return nil }); err != nil {
		panic("cassim: " + err.Error())
	}
}

func (s *Server) changeKnobs(change func(*Knobs) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.knobs
	if err := change(&changed); err != nil {
		return err
	}
	changed, err := changed.effective()
	if err == nil {
		s.knobs = changed
	}
	return err
}

// Knobs returns the knobs in force, with every default spelled out.
func (s *Server) Knobs() Knobs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.knobs
}

func (s *Server) now() time.Time { return s.opts.Clock.Now() }
