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
	// Arrives and Answers come before an update is made and before it is answered, and may drop it. Nil drops nothing.
	// They are set before anything is sent.
	Arrives, Answers func() (drop bool)
	// KeyName and Secret are those of the key; Secret is in base64.
	KeyName, Secret string

	zone    string
	mutex   sync.Mutex
	records []dns.RR
	refusal int
	failing uint16 // a type of question
	skew    time.Duration
	isOpen  bool
}

// Start serves a zone until the test ends. records are in the notation of zone files.
func Start(t *testing.T, zone string, records ...string) *Server {
	t.Helper()
	s := &Server{KeyName: "update-key.", Secret: base64.StdEncoding.EncodeToString([]byte("a key for tests, 32 " +
		"bytes long..")), zone: dns.Fqdn(zone)}
	s.Add(t, fmt.Sprintf("%[1]s 60 IN SOA ns.%[1]s hostmaster.%[1]s 1 3600 600 86400 60", s.zone),
		fmt.Sprintf("%[1]s 60 IN NS ns.%[1]s", s.zone))
	s.Add(t, records...)
	s.Addr = Serve(t, dns.HandlerFunc(s.serve), func(server *dns.Server) {
		server.TsigSecret = map[string]string{s.KeyName: s.Secret}
		// updates are refused by default
		server.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }
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

// FailQuestions answers questions of a type with SERVFAIL; 0 takes that back.
func (s *Server) FailQuestions(rrType uint16) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failing = rrType
}

// Remove takes the records of a type at a name out of the zone, of which there must be one.
func (s *Server) Remove(t *testing.T, name, kind string) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	before := len(s.records)
	s.records = slices.DeleteFunc(s.records, func(rr dns.RR) bool {
		return rr.Header().Name == dns.Fqdn(name) && rr.Header().Rrtype == dns.StringToType[kind]
	})
	if len(s.records) == before {
		t.Fatalf("there is no %s record at %q", kind, name)
	}
}

// SetSkew is how far the server's clock is ahead of that of whoever signs.
func (s *Server) SetSkew(ahead time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.skew = ahead
}

// TakeUnsigned lets updates be made that nobody has signed.
func (s *Server) TakeUnsigned() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.isOpen = true
}

// refuses judges who sends an update, and when: it is the error of the TSIG, or NOTAUTH if there must be one.
func (s *Server) refuses(tsig *dns.TSIG, status error) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case tsig == nil && !s.isOpen:
		return dns.RcodeNotAuth
	case tsig == nil:
		return dns.RcodeSuccess
	case status != nil && tsig.Hdr.Name != s.KeyName:
		return dns.RcodeBadKey
	case status != nil:
		return dns.RcodeBadSig
	case s.skew.Abs() > 300*time.Second: // RFC 8945 §5.2.3
		return dns.RcodeBadTime
	default:
		return dns.RcodeSuccess
	}
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
	refused := s.refuses(tsig, w.TsigStatus())
	switch {
	case query.Opcode == dns.OpcodeUpdate && refused != dns.RcodeSuccess:
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
		reply.IsTsig().Error = uint16(refused) //nolint:gosec // codes are small
	}
	_ = w.WriteMsg(reply) // whoever asked has gone
}

func (s *Server) answer(reply *dns.Msg) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	question := reply.Question[0]
	if s.failing == question.Qtype {
		reply.Rcode = dns.RcodeServerFailure
		return
	}
	name := strings.ToLower(question.Name)
	if !dns.IsSubDomain(s.zone, name) {
		reply.Authoritative, reply.Rcode = false, dns.RcodeNameError
		return
	}
	exists := false
	for target := name; target != ""; {
		at := target
		target = ""
		for _, rr := range s.records {
			exists = exists || dns.IsSubDomain(name, rr.Header().Name)
			kind := rr.Header().Rrtype
			if rr.Header().Name != at || kind != question.Qtype && kind != dns.TypeCNAME {
				continue
			}
			reply.Answer = append(reply.Answer, dns.Copy(rr))
			if kind != question.Qtype && len(reply.Answer) < 8 { // a CNAME, which a resolver follows
				target = rr.(*dns.CNAME).Target
			}
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
		if other.Header().Name == rr.Header().Name &&
			(dns.IsDuplicate(other, rr) || isAlias != (other.Header().Rrtype == dns.TypeCNAME)) {
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
