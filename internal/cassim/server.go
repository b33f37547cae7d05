// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Options configure a Server. The zero value is one account with a plan and a zone, without delays.
type Options struct {
	// Clock is what orders live by; the default is the real one.
	Clock clock.PassiveClock
	// Accounts are separate from each other. The default is DefaultAccount.
	Accounts []Account
	Knobs    Knobs
	// RecordDelay is how long after an order its validation record is told; DCVDelay how long after the record
	// can be seen CAS takes to notice; CADelay how long the review takes then.
	RecordDelay, DCVDelay, CADelay time.Duration
	// Addr and DNSAddr are where it listens; the default is a free port of 127.0.0.1.
	Addr, DNSAddr string
}

// Account is a main account of Alibaba Cloud.
type Account struct {
	Keys []Key
	// Packages are the certificates bought, by product code.
	Packages map[string]int
	// Zones are the domains in Alibaba Cloud DNS.
	Zones []string
}

// Key is an AccessKey of one RAM user.
type Key struct {
	ID, Secret string
	// SecurityToken is set for temporary keys.
	SecurityToken string
	// Denied are the actions that the user may not call.
	Denied   []string
	Disabled bool
}

// The key of DefaultAccount.
const (
	DefaultKeyID     = "test-access-key-id"
	DefaultKeySecret = "test-access-key-secret" //nolint:gosec // of the simulator
	DefaultProduct   = "digicert-free-1-free"
)

// DefaultAccount has a plan for 20 free certificates, and the zone example.com.
func DefaultAccount() Account {
	return Account{
		Keys:     []Key{{ID: DefaultKeyID, Secret: DefaultKeySecret}},
		Packages: map[string]int{DefaultProduct: 20},
		Zones:    []string{"example.com"},
	}
}

// Server is a running simulator. It is safe for concurrent use.
type Server struct {
	options   Options
	clock     clock.PassiveClock
	authority *authority
	zones     *zones

	http     *http.Server
	listener net.Listener
	dns      *dnsServers

	mutex    sync.Mutex
	knobs    Knobs
	accounts []*account
	orders   map[string]*order
	nextID   int64
	nonces   map[string]bool
	calls    map[string]int
	faults   []*Fault
}

type account struct {
	keys  map[string]*Key
	plans map[string]*plan
}

type plan struct{ total, used, issued int }

// New makes a server that does not listen yet.
func New(options Options) *Server {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Accounts == nil {
		options.Accounts = []Account{DefaultAccount()}
	}
	if options.Addr == "" {
		options.Addr = "127.0.0.1:0"
	}
	if options.DNSAddr == "" {
		options.DNSAddr = "127.0.0.1:0"
	}
	s := &Server{
		options: options, clock: options.Clock, knobs: options.Knobs, authority: newAuthority(options.Clock.Now()),
		zones: newZones(), orders: map[string]*order{}, nonces: map[string]bool{}, calls: map[string]int{},
		nextID: 98987582437920968, // beyond 2^53 (CAS contract §1)
	}
	for _, a := range options.Accounts {
		made := &account{keys: map[string]*Key{}, plans: map[string]*plan{}}
		for _, key := range a.Keys {
			made.keys[key.ID] = &key
		}
		for product, total := range a.Packages {
			made.plans[product] = &plan{total: total}
		}
		for _, zone := range a.Zones {
			s.zones.add(zone, made)
		}
		s.accounts = append(s.accounts, made)
	}
	return s
}

// Start listens.
func (s *Server) Start() error {
	listener, err := net.Listen("tcp", s.options.Addr)
	if err != nil {
		return err
	}
	if s.dns, err = serveDNS(s.options.DNSAddr, s.zones); err != nil {
		_ = listener.Close()
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/-/", s.admin())
	mux.HandleFunc("/", s.serve)
	s.listener, s.http = listener, &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }()
	return nil
}

// Close ends the servers and all connections.
func (s *Server) Close() {
	_ = s.http.Close()
	s.dns.close()
}

// URL is the endpoint of CAS and of Alibaba Cloud DNS.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// DNSAddr answers for the zones, over UDP and TCP.
func (s *Server) DNSAddr() string { return s.dns.addr }

// RootPEM is the certificate that chains end at.
func (s *Server) RootPEM() []byte { return s.authority.rootPEM() }

// Calls counts the calls that were understood, by action.
func (s *Server) Calls() map[string]int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return maps.Clone(s.calls)
}

// admin answers people and the demo.
func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /-/root.pem", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.RootPEM()) })
	mux.HandleFunc("GET /-/calls", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Calls()) })
	mux.HandleFunc("GET /-/ledger", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Ledger()) })
	mux.HandleFunc("POST /-/records", func(w http.ResponseWriter, r *http.Request) {
		var record Record
		if err := json.NewDecoder(r.Body).Decode(&record); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{"id": s.AddRecord(record.Zone, record.RR, record.Type, record.Value)})
	})
	return mux
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func requestID() string { return rand.Text() }

// withContext bounds what the simulator itself asks.
func withTimeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Second)
}
