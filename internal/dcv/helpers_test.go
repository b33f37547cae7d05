// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

// nameServer is a DNS server on a loopback port, over UDP and TCP, that remembers what it was asked.
type nameServer struct {
	addr string

	mu    sync.Mutex
	asked []string // "udp SOA example.com."
	zone  []dns.RR
}

// questions are what was asked since the last call.
func (s *nameServer) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// publish replaces all records.
func (s *nameServer) publish(t *testing.T, zone string) {
	t.Helper()
	records := parse(t, zone)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone = records
}

// serving answers like a resolver that knows the records of a zone file: it follows aliases, and says NXDOMAIN for
// names that have nothing at or below them. Over UDP nothing longer than 512 bytes is sent, whatever the client offers
// to take.
func serving(t *testing.T, zone string) *nameServer {
	t.Helper()
	s := &nameServer{}
	s.publish(t, zone)
	s.listen(t, func(reply *dns.Msg, isUDP bool) *dns.Msg {
		s.resolve(reply)
		if isUDP {
			reply.Truncate(dns.MinMsgSize)
		}
		return reply
	})
	return s
}

// refusing answers everything with one response code.
func refusing(t *testing.T, rcode int) *nameServer {
	t.Helper()
	s := &nameServer{}
	s.listen(t, func(reply *dns.Msg, _ bool) *dns.Msg {
		reply.Rcode = rcode
		return reply
	})
	return s
}

// silent takes questions and never answers.
func silent(t *testing.T) *nameServer {
	t.Helper()
	s := &nameServer{}
	s.listen(t, func(*dns.Msg, bool) *dns.Msg { return nil })
	return s
}

// down is the address of a server that is not there.
func down(t *testing.T) string {
	t.Helper()
	packets, listener := primary.Listen(t)
	if err := errors.Join(packets.Close(), listener.Close()); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func (s *nameServer) listen(t *testing.T, answer func(reply *dns.Msg, isUDP bool) *dns.Msg) {
	t.Helper()
	s.addr = primary.Serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		network := w.LocalAddr().Network()
		s.mu.Lock()
		s.asked = append(s.asked, network+" "+dns.TypeToString[query.Question[0].Qtype]+" "+query.Question[0].Name)
		s.mu.Unlock()
		if reply := answer(new(dns.Msg).SetReply(query), network == "udp"); reply != nil {
			if err := w.WriteMsg(reply); err != nil {
				t.Error(err)
			}
		}
	}), nil)
}

// resolve fills in the answer to the reply's question.
func (s *nameServer) resolve(reply *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	question := reply.Question[0]
	for name := question.Name; ; {
		next, from := "", s.source(name)
		for _, rr := range s.zone {
			if !strings.EqualFold(rr.Header().Name, from) {
				continue
			}
			alias, isAlias := rr.(*dns.CNAME)
			if isAlias || rr.Header().Rrtype == question.Qtype {
				rr = dns.Copy(rr)
				rr.Header().Name = name
				reply.Answer = append(reply.Answer, rr)
			}
			if isAlias && question.Qtype != dns.TypeCNAME {
				next = alias.Target
			}
		}
		if next == "" {
			if !s.exists(from) {
				reply.Rcode = dns.RcodeNameError
			}
			return
		}
		name = next
	}
}

// Returns the name whose records answer for a name: the name itself if anything exists at or below it, or else the "*"
// below its nearest parent that exists.
func (s *nameServer) source(name string) string {
	if s.exists(name) {
		return name
	}
	for parent := name; ; {
		_, parent, _ = strings.Cut(parent, ".")
		if parent == "" || s.exists(parent) {
			return "*." + parent
		}
	}
}

func (s *nameServer) exists(name string) bool {
	return slices.ContainsFunc(s.zone, func(rr dns.RR) bool { return dns.IsSubDomain(name, rr.Header().Name) })
}

// parse reads a zone file.
func parse(t *testing.T, zone string) []dns.RR {
	t.Helper()
	parser := dns.NewZoneParser(strings.NewReader("$ORIGIN .\n$TTL 60\n"+zone), ".", "")
	var records []dns.RR
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}

// soa is the record that makes a name a zone.
func soa(zone string) string { return zone + ". SOA ns.example. root.example. 1 3600 600 86400 60\n" }

// wantProblem fails unless err is a Problem with exactly this text.
func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	problem, ok := errors.AsType[*Problem](err)
	if !ok || problem.Error() != want {
		t.Errorf("got  %v\nwant the problem %s", err, want)
	}
}

// wantTrouble fails unless err is an error with exactly this text, and no Problem: it may pass by itself.
func wantTrouble(t *testing.T, err error, want string) {
	t.Helper()
	if _, isProblem := errors.AsType[*Problem](err); err == nil || isProblem || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func wantQuestions(t *testing.T, server *nameServer, want ...string) {
	t.Helper()
	if got := server.questions(); !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}
