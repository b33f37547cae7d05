// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is the simulator. It is safe for concurrent use.
type Server struct {
	opts      Options
	authority *authority
	dns       *dnsServer
	web       *http.Server
	listener  net.Listener
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
	listing   listing
	zones     zoneBook
	faults    []*injected
	lastFault int
	hung      chan struct{} // closed and replaced when a call begins or ends to hang
	requests  []Request
	lastID    int64
	closed    bool
}

// New makes a simulator that does not listen yet. It panics if the options contradict each other, which is a mistake in a test.
func New(opts Options) *Server {
	s := &Server{
		opts:      opts.withDefaults(),
		authority: newAuthority(),
		accounts:  map[string]*account{},
		keys:      map[string]*key{},
		nonces:    map[string]bool{},
		buckets:   map[bucketKey]*bucket{},
		orders:    newOrderBook(),
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
	return s
}

// Start begins to listen on all addresses.
func (s *Server) Start() error {
	listener, err := net.Listen("tcp", s.opts.Addr)
	if err != nil {
		return fmt.Errorf("cassim: %w", err)
	}
	if s.dns, err = s.serveDNS(s.opts.DNSAddr); err != nil {
		return errors.Join(fmt.Errorf("cassim: DNS: %w", err), listener.Close())
	}
	s.listener = listener
	s.web = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(logWriter{s}, "", 0)}
	s.done.Go(func() {
		if err := s.web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.opts.Logf("cassim: %v", err)
		}
	})
	return nil
}

// Close ends all that Start began, and waits for it.
func (s *Server) Close() {
	if s.web == nil {
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
	if s.web.Shutdown(ctx) != nil {
		_ = s.web.Close() // a connection that hangs must not hang the test
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

// URL is where CAS and Alidns are, told apart by the Version of a request, and the admin API under /-/.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

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

// logWriter takes what net/http has to say.
type logWriter struct{ s *Server }

func (w logWriter) Write(line []byte) (int, error) {
	w.s.opts.Logf("%s", strings.TrimSpace(string(line)))
	return len(line), nil
}
