// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"net"

	"github.com/miekg/dns"
)

// dnsServers answer for the zones over UDP and TCP, on one port.
type dnsServers struct {
	addr     string
	udp, tcp *dns.Server
}

func serveDNS(addr string, data *zones) (*dnsServers, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	packets, err := net.ListenPacket("udp", listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) { _ = w.WriteMsg(data.reply(question)) })
	servers := &dnsServers{
		addr: listener.Addr().String(),
		udp:  &dns.Server{PacketConn: packets, Handler: handler},
		tcp:  &dns.Server{Listener: listener, Handler: handler},
	}
	for _, server := range []*dns.Server{servers.udp, servers.tcp} {
		ready := make(chan struct{})
		server.NotifyStartedFunc = func() { close(ready) }
		go func() { _ = server.ActivateAndServe() }()
		<-ready
	}
	return servers, nil
}

func (d *dnsServers) close() {
	_ = d.udp.Shutdown()
	_ = d.tcp.Shutdown()
}

const recordTTL = 600

// reply is authoritative for the zones, and refuses other names.
func (z *zones) reply(question *dns.Msg) *dns.Msg {
	reply := new(dns.Msg)
	reply.SetReply(question)
	if len(question.Question) != 1 {
		reply.Rcode = dns.RcodeFormatError
		return reply
	}
	asked := question.Question[0]
	records, in, ok := z.at(asked.Name)
	if !ok {
		reply.Rcode = dns.RcodeRefused
		return reply
	}
	reply.Authoritative = true
	isApex := dns.CanonicalName(asked.Name) == dns.Fqdn(in)
	soa := &dns.SOA{
		Hdr: dns.RR_Header{Name: dns.Fqdn(in), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: recordTTL},
		Ns:  "ns1.alidns.com.", Mbox: "hostmaster.hichina.com.", Serial: 1, Refresh: 3600, Retry: 1200, Expire: 86400, Minttl: 600,
	}
	header := dns.RR_Header{Name: asked.Name, Rrtype: asked.Qtype, Class: dns.ClassINET, Ttl: recordTTL}
	switch {
	case isApex && asked.Qtype == dns.TypeSOA:
		reply.Answer = append(reply.Answer, soa)
	case isApex && asked.Qtype == dns.TypeNS:
		reply.Answer = append(reply.Answer, &dns.NS{Hdr: header, Ns: "ns1.alidns.com."})
	}
	for _, record := range records {
		switch {
		case record.Type == "CNAME" && asked.Qtype != dns.TypeSOA && asked.Qtype != dns.TypeNS:
			header.Rrtype = dns.TypeCNAME
			reply.Answer = append(reply.Answer, &dns.CNAME{Hdr: header, Target: dns.Fqdn(record.Value)})
		case record.Type == "TXT" && asked.Qtype == dns.TypeTXT:
			reply.Answer = append(reply.Answer, &dns.TXT{Hdr: header, Txt: chunks(record.Value)})
		}
	}
	if len(reply.Answer) == 0 {
		reply.Ns = append(reply.Ns, soa)
		if len(records) == 0 && !isApex {
			reply.Rcode = dns.RcodeNameError
		}
	}
	return reply
}

// chunks cuts a value into the strings of at most 255 bytes that a TXT record has.
func chunks(value string) []string {
	var out []string
	for len(value) > 255 {
		out, value = append(out, value[:255]), value[255:]
	}
	return append(out, value)
}
