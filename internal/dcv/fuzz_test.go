// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"strings"
	"testing"
	"unicode"

	"github.com/miekg/dns"
)

// FuzzARecordHasOneName lets CAS name the record in any way, for any domain and zone. The name is told if CAS told it,
// in the one form in which names are compared; it keeps the labels that CAS chose, and a name in full is never made
// longer.
func FuzzARecordHasOneName(f *testing.F) {
	for _, seed := range [][3]string{
		{"", "example.com", "example.com"}, {"_dnsauth", "www.example.com", "example.com"},
		{"_dnsauth.www", "www.example.com", "www.example.com"},
		{"_DNSAUTH.WWW.EXAMPLE.COM.", "www.example.com", "example.com"}, {"@", "example.com", "example.com"},
		{".", "", ""}, {"..", ".", "."},
		{"_dnsauth.例子.中国", "xn--fsqu00a.xn--fiqs8s", "例子.中国"}, {" _dnsauth\t", "*.example.com", "EXAMPLE.com."},
		{"_a._b._c", "_d.example.com", "com"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, name, domain, zone string) {
		ch := Challenge{Domain: domain, RecordName: name, RecordType: "TXT", RecordValue: "v"}
		got, told := RecordFQDN(ch, zone), CanonicalName(name)
		if (got == "") != (told == "" || told == "@" && CanonicalName(zone) == "") {
			t.Errorf("%q is told as %q", name, got)
		}
		if strings.ContainsFunc(got, unicode.IsUpper) && CanonicalName(strings.ToLower(got)) == got {
			t.Errorf("%q has upper case letters", got)
		}
		if told != "@" && !strings.HasPrefix(got, told) {
			t.Errorf("%q, in the zone %q, is told as %q", name, zone, got)
		}
		if InFull(ch) && got != told && told != "@" {
			t.Errorf("%q, which is in full, has become %q", name, got)
		}
		again := RecordFQDN(Challenge{Domain: domain, RecordName: got}, zone)
		if Within(got, CanonicalName(zone)) && CanonicalName(got) == got && again != got {
			t.Errorf("%q becomes %q when it is asked for again", got, again)
		}
	})
}

// FuzzWhatPassesTheGateProvesControlInEveryZone lets CAS ask for anything. Whatever Prepare lets pass is then, in
// whichever zone a solver finds for the domain, a name that no host can have, at or above the domain and below what a
// registry has.
func FuzzWhatPassesTheGateProvesControlInEveryZone(f *testing.F) {
	for _, seed := range [][3]string{
		{"_dnsauth", "www.example.com", "TXT"}, {"_dnsauth.a", "a.b.example.com", "cname"},
		{"www", "www.example.com", "A"}, {"@", "example.com", "TXT"},
		{"_dnsauth.co.uk", "x.co.uk", "TXT"}, {"_x\\.www.example.com", "www.example.com", "TXT"}, {"_.", "_._", "TXT"},
		{"_a.例子.中国", "xn--fsqu00a.xn--fiqs8s", "TXT"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, name, domain, kind string) {
		ch, _, err := Prepare(Challenge{Domain: domain, RecordName: name, RecordType: kind, RecordValue: "v"}, nil)
		if err != nil || CanonicalName(CanonicalName(domain)) != CanonicalName(
			domain) { // the latter is no domain, such as two dots
			return
		}
		if ch.RecordType != "TXT" && ch.RecordType != "CNAME" {
			t.Errorf("a %s record passed", ch.RecordType)
		}
		validated := CanonicalName(domain)
		for zone := validated; !RegistryOwned(zone); _, zone, _ = strings.Cut(zone, ".") {
			fqdn := RecordFQDN(ch, zone)
			if proves := Validated(fqdn); !strings.HasPrefix(fqdn, "_") || !Within(validated, proves) ||
				RegistryOwned(proves) {
				t.Errorf("%q for %q in the zone %q is %q, which proves %q", name, domain, zone, fqdn, proves)
			}
		}
	})
}

// FuzzNoReplyShowsARecordThatIsNotThere takes any reply of a name server. The record is seen if, and only if, a record
// of its type has its value; whatever else is seen there is bounded and can be printed.
func FuzzNoReplyShowsARecordThatIsNotThere(f *testing.F) {
	for _, text := range []string{
		`_dnsauth.example.com. 1 IN TXT "v"`, `_dnsauth.example.com. 1 IN TXT "a" "b"`,
		`_dnsauth.example.com. 1 IN TXT "\"\\\007"`,
		`_dnsauth.example.com. 1 IN CNAME V.`, `_dnsauth.example.com. 1 IN A 192.0.2.1`,
	} {
		rr, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		packed, err := (&dns.Msg{Answer: []dns.RR{rr}}).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed, "v", true)
		f.Add(packed, "ab", true)
		f.Add(packed, "\"\\\a", true)
		f.Add(packed, "v", false)
	}
	f.Fuzz(func(t *testing.T, packed []byte, value string, isTXT bool) {
		reply := &dns.Msg{}
		if reply.Unpack(packed) != nil {
			return
		}
		rec := Record{FQDN: "_dnsauth.example.com", Type: "CNAME", Value: value}
		if isTXT {
			rec.Type = "TXT"
		}
		found, others := compare(reply, rec)
		if want := isAmong(t, reply.Answer, rec); found != want {
			t.Errorf("found is %t for %q in %v", found, value, reply.Answer)
		}
		seen := shorten(others)
		if len(seen) > maxSeen {
			t.Errorf("%d others are told", len(seen))
		}
		for _, s := range seen {
			if len(s) > maxSeenLength+len("…") ||
				strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("seen is %q", s)
			}
		}
	})
}

// isAmong compares on the wire, where nothing is escaped.
func isAmong(t *testing.T, answer []dns.RR, rec Record) bool {
	t.Helper()
	for _, rr := range answer {
		switch rr := rr.(type) {
		case *dns.TXT:
			packed := make([]byte, 1<<16)
			end, err := dns.PackRR(&dns.TXT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeTXT, Class: dns.ClassINET},
				Txt: rr.Txt}, packed, 0, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			var value strings.Builder
			for data := packed[11:end]; len(data) > 0; data = data[1+int(data[0]):] {
				value.Write(data[1 : 1+int(data[0])])
			}
			if rec.Type == "TXT" && value.String() == rec.Value {
				return true
			}
		case *dns.CNAME:
			if rec.Type == "CNAME" && CanonicalName(rr.Target) == CanonicalName(rec.Value) {
				return true
			}
		}
	}
	return false
}
