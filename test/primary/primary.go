// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package primary is a primary name server on the loopback that takes dynamic updates (RFC 2136) signed by a TSIG key.
package primary

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Server has one zone, and one key that may change it.
type Server struct {
	// Addr is host:port, for UDP and TCP.
	Addr string
	// Arrives and Answers come before an update is made and before it is answered, and may drop it. Nil drops nothing. They
	// are set before anything is sent.
	Arrives, Answers func() (drop bool)
	// KeyName and Secret are those of the key; Secret is in base64.
	KeyName, Secret string

	zone    string
	mutex   sync.Mutex
	records []dns.RR
	refusal int
}

// Start serves a zone until the test ends. records are in the notation of zone files.
func Start(t *testing.T, zone string, records ...string) *Server {
	t.Helper()
	s := &Server{KeyName: "update-key.", Secret: base64.StdEncoding.EncodeToString([]byte("a key for tests, 32 bytes long..")), zone: dns.Fqdn(zone)}
	s.Add(t, fmt.Sprintf("%[1]s 60 IN SOA ns.%[1]s hostmaster.%[1]s 1 3600 600 86400 60", s.zone), fmt.Sprintf("%[1]s 60 IN NS ns.%[1]s", s.zone))
	s.Add(t, records...)
	s.Addr = Serve(t, dns.HandlerFunc(s.serve), func(server *dns.Server) {
		server.TsigSecret = map[string]string{s.KeyName: s.Secret}
		server.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept } // updates are refused by default
	})
	return s
}

// Add puts records into the zone.
func (s *Server) Add(t *testing.T, records ...string) {
	t.Helper()
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		s.mutex.Lock()
		s.insert(rr)
		s.mutex.Unlock()
	}
}

// Refuse answers updates with a response code; success takes that back.
func (s *Server) Refuse(code int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.refusal = code
}

// Records are the zone without its SOA and NS, sorted.
func (s *Server) Records() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var out []string
	for _, rr := range s.records {
		if kind := rr.Header().Rrtype; kind != dns.TypeSOA && kind != dns.TypeNS {
			out = append(out, strings.ReplaceAll(rr.String(), "\t", " "))
		}
	}
	slices.Sort(out)
	return out
}

func (s *Server) serve(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	reply.Authoritative = true
	tsig := query.IsTsig()
	switch {
	case query.Opcode == dns.OpcodeUpdate && (tsig == nil || w.TsigStatus() != nil):
		reply.Rcode = dns.RcodeNotAuth
	case query.Opcode == dns.OpcodeUpdate && s.Arrives != nil && s.Arrives():
		_ = w.Close() // whoever asked sees a connection that ends
		return
	case query.Opcode == dns.OpcodeUpdate:
		reply.Rcode = s.update(query)
		if s.Answers != nil && s.Answers() {
			_ = w.Close()
			return
		}
	default:
		s.answer(reply)
	}
	if tsig != nil {
		reply.SetTsig(tsig.Hdr.Name, tsig.Algorithm, 300, time.Now().Unix())
		if err := w.TsigStatus(); err != nil {
			reply.IsTsig().Error = dns.RcodeBadKey
			if tsig.Hdr.Name == s.KeyName {
				reply.IsTsig().Error = dns.RcodeBadSig
			}
		}
	}
	_ = w.WriteMsg(reply) // whoever asked has gone
}

func (s *Server) answer(reply *dns.Msg) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	question := reply.Question[0]
	name := strings.ToLower(question.Name)
	if !dns.IsSubDomain(s.zone, name) {
		reply.Authoritative, reply.Rcode = false, dns.RcodeNameError
		return
	}
	exists := false
	for _, rr := range s.records {
		exists = exists || dns.IsSubDomain(name, rr.Header().Name)
		if kind := rr.Header().Rrtype; rr.Header().Name == name && (kind == question.Qtype || kind == dns.TypeCNAME) {
			reply.Answer = append(reply.Answer, dns.Copy(rr))
		}
	}
	if !exists {
		reply.Rcode = dns.RcodeNameError
	}
}

// update does what RFC 2136 §3.4 says of adding a record and of removing one by its value.
func (s *Server) update(message *dns.Msg) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.refusal != dns.RcodeSuccess {
		return s.refusal
	}
	if len(message.Question) != 1 || message.Question[0].Name != s.zone {
		return dns.RcodeNotAuth
	}
	for _, rr := range message.Ns {
		switch rr.Header().Class {
		case dns.ClassINET:
			s.insert(rr)
		case dns.ClassNONE:
			s.remove(rr)
		default: // would remove what others have there, too
			return dns.RcodeRefused
		}
	}
	return dns.RcodeSuccess
}

// insert ignores a CNAME beside others, and others beside a CNAME, as servers do.
func (s *Server) insert(rr dns.RR) {
	isAlias := rr.Header().Rrtype == dns.TypeCNAME
	for _, other := range s.records {
		if other.Header().Name == rr.Header().Name && (dns.IsDuplicate(other, rr) || isAlias != (other.Header().Rrtype == dns.TypeCNAME)) {
			return
		}
	}
	s.records = append(s.records, rr)
}

func (s *Server) remove(rr dns.RR) {
	rr = dns.Copy(rr)
	rr.Header().Class = dns.ClassINET
	s.records = slices.DeleteFunc(s.records, func(other dns.RR) bool { return dns.IsDuplicate(other, rr) })
}
