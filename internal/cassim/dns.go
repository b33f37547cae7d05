// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// dnsServer answers authoritatively for the zones of the simulator, over UDP and TCP at one address.
type dnsServer struct {
	addr    string
	servers []*dns.Server
	done    sync.WaitGroup
}

const portAttempts = 20

func (s *Server) serveDNS(addr string) (*dnsServer, error) {
	packets, listener, err := listenBoth(addr)
	if err != nil {
		return nil, err
	}
	d := &dnsServer{
		addr: listener.Addr().String(),
		servers: []*dns.Server{
			{PacketConn: packets, Handler: dns.HandlerFunc(s.answerDNS)},
			{Listener: listener, Handler: dns.HandlerFunc(s.answerDNS)},
		},
	}
	for _, server := range d.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		d.done.Go(func() {
			if err := server.ActivateAndServe(); err != nil {
				s.opts.Logf("cassim: DNS: %v", err)
			}
		})
		<-started // close must not meet a server that has not begun
	}
	return d, nil
}

// Listens on TCP and UDP at the same port. If the address has no port, finds one that is free for both.
func listenBoth(addr string) (net.PacketConn, net.Listener, error) {
	var failures []error
	for range portAttempts {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, err
		}
		packets, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return packets, listener, nil
		}
		failures = append(failures, err, listener.Close())
		if !strings.HasSuffix(addr, ":0") {
			break
		}
	}
	return nil, nil, errors.Join(failures...)
}

func (d *dnsServer) close() {
	for _, server := range d.servers {
		_ = server.Shutdown() // its only error is that it was not running
	}
	d.done.Wait()
}

func (s *Server) answerDNS(w dns.ResponseWriter, query *dns.Msg) {
	answer := new(dns.Msg).SetReply(query)
	answer.Authoritative = true
	if len(query.Question) == 1 && query.Opcode == dns.OpcodeQuery {
		s.mu.Lock()
		s.catchUp()
		s.resolveInto(answer, query.Question[0])
		s.mu.Unlock()
	} else {
		answer.Rcode = dns.RcodeNotImplemented
	}
	size := dns.MinMsgSize
	if opt := query.IsEdns0(); opt != nil {
		size = max(size, int(opt.UDPSize()))
		answer.SetEdns0(dns.DefaultMsgSize, false)
	}
	if _, isUDP := w.LocalAddr().(*net.UDPAddr); isUDP {
		answer.Truncate(size)
	}
	if err := w.WriteMsg(answer); err != nil {
		s.opts.Logf("cassim: DNS: %v", err)
	}
}

// resolveInto fills in the answer to one question, following aliases within the simulator's zones.
func (s *Server) resolveInto(answer *dns.Msg, question dns.Question) {
	name := canonical(question.Name)
	for range maxAliases {
		z := s.zones.holding(name)
		if z == nil {
			answer.Authoritative = false // as a resolver answers, in a world that has no other zones
			if len(answer.Answer) == 0 && !s.zones.isAbove(name) {
				answer.Rcode = dns.RcodeNameError
			}
			return
		}
		found, alias := s.rrsAt(z, name, question.Qtype)
		answer.Answer = append(answer.Answer, found...)
		if alias != "" {
			name = canonical(alias)
			continue
		}
		if len(found) == 0 {
			answer.Ns = append(answer.Ns, s.soa(z))
			if !s.zones.exists(z, name) && name != "ns1."+z.name && len(s.zones.at(name)) == 0 {
				answer.Rcode = dns.RcodeNameError
			}
		}
		return
	}
	answer.Rcode = dns.RcodeServerFailure // aliases in a circle
}

// rrsAt returns the records of a type at a name. If there is an alias instead, its target is returned as well.
func (s *Server) rrsAt(z *zone, name string, kind uint16) (found []dns.RR, alias string) {
	if name == z.name && kind == dns.TypeSOA {
		return []dns.RR{s.soa(z)}, ""
	}
	if name == z.name && kind == dns.TypeNS {
		return []dns.RR{mustRR("%s. 86400 IN NS ns1.%s.", z.name, z.name)}, ""
	}
	if name == "ns1."+z.name && (kind == dns.TypeA || kind == dns.TypeAAAA) {
		return s.serverAddress(name, kind), ""
	}
	for _, r := range s.zones.at(name) {
		isAlias := r.kind == RecordCNAME
		if !isAlias && r.kind != dns.TypeToString[kind] {
			continue
		}
		found = append(found, r.wire(name))
		if isAlias && kind != dns.TypeCNAME {
			alias = r.value
		}
	}
	return found, alias
}

func (s *Server) serverAddress(name string, kind uint16) []dns.RR {
	addr, err := netip.ParseAddrPort(s.dns.addr)
	if err != nil || addr.Addr().Is4() != (kind == dns.TypeA) {
		return nil
	}
	return []dns.RR{mustRR("%s. 86400 IN %s %s", name, dns.TypeToString[kind], addr.Addr())}
}

func (s *Server) soa(z *zone) dns.RR {
	return mustRR("%s. 600 IN SOA ns1.%s. hostmaster.%s. %d 3600 1200 86400 60", z.name, z.name, z.name,
		s.zones.serial+1)
}

// Returns the record under the name that was asked for. That differs from the record's own name if this is a wildcard.
func (r *record) wire(owner string) dns.RR {
	if r.kind == RecordTXT {
		header := dns.RR_Header{Name: dns.Fqdn(owner), Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: uint32(r.ttl)}
		return &dns.TXT{Hdr: header, Txt: chunks(r.value)}
	}
	rr, err := r.parse(owner)
	if err != nil {
		panic(fmt.Sprintf("cassim: %v", err)) // checkRecord parsed it before
	}
	return rr
}

func (r *record) parse(owner string) (dns.RR, error) {
	value := r.value
	if r.kind == RecordCNAME {
		value = dns.Fqdn(value)
	}
	return dns.NewRR(fmt.Sprintf("%s %d IN %s %s", dns.Fqdn(owner), r.ttl, r.kind, value))
}

// chunks cuts a value into the strings of at most 255 bytes that a TXT record has, in the spelling of the DNS library.
func chunks(value string) []string {
	parts := []string{}
	for len(value) > 255 {
		parts = append(parts, txtEscape(value[:255]))
		value = value[255:]
	}
	return append(parts, txtEscape(value))
}

func txtEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}

func mustRR(format string, args ...any) dns.RR {
	rr, err := dns.NewRR(fmt.Sprintf(format, args...))
	if err != nil {
		panic(fmt.Sprintf("cassim: %v", err)) // the names come from zones, which were checked
	}
	return rr
}
