// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/miekg/dns"
)

func txt(value string) Record {
	return Record{FQDN: "_dnsauth.example.com", Type: "TXT", Value: value, Zone: "example.com"}
}

func cname(target string) Record {
	return Record{FQDN: "_dnsauth.example.com", Type: "CNAME", Value: target, Zone: "example.com"}
}

func wantSeen(t *testing.T, got, want Observation) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestALookTellsWhetherTheRecordIsThereAndWhatIsThereInstead(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 40) // 640 bytes
	visible := Observation{Visible: true}
	tests := map[string]struct {
		records string
		record  Record
		want    Observation
	}{
		"the value":                 {`_dnsauth.example.com. TXT "v1"`, txt("v1"), visible},
		"the name in other letters": {`_DNSauth.EXAMPLE.com. TXT "v1"`, txt("v1"), visible},
		"another value": {`_dnsauth.example.com. TXT "v2"`, txt("v1"),
			Observation{Seen: []string{"TXT v2"}}},
		"a value in other letters": {`_dnsauth.example.com. TXT "V1"`, txt("v1"),
			Observation{Seen: []string{"TXT V1"}}},
		"a value that begins alike": {`_dnsauth.example.com. TXT "v11"`, txt("v1"),
			Observation{Seen: []string{"TXT v11"}}},
		"an empty value":             {`_dnsauth.example.com. TXT ""`, txt("v1"), Observation{Seen: []string{"TXT "}}},
		"a value in several strings": {`_dnsauth.example.com. TXT "v" "1" ""`, txt("v1"), visible},
		"a value too long for one string": {
			fmt.Sprintf("_dnsauth.example.com. TXT %q %q %q", long[:255], long[255:510], long[510:]), txt(long),
			visible},
		"a value with quotes and more": {`_dnsauth.example.com. TXT "a\"b\\c\;d \195\164\010"`, txt("a\"b\\c;d ä\n"),
			visible},
		"another value with quotes": {`_dnsauth.example.com. TXT "a\"b"`, txt(`a\"b`),
			Observation{Seen: []string{`TXT a\"b`}}},
		"another value in several strings is told as one": {
			`_dnsauth.example.com. TXT "v1" "v2"`, txt("v1"), Observation{Seen: []string{"TXT v1v2"}}},
		"ours among others": {"_dnsauth.example.com. TXT a\n_dnsauth.example.com. TXT v1\n_dnsauth.example.com. TXT b",
			txt("v1"), visible},
		"others are sorted, each once": {
			"_dnsauth.example.com. TXT c\n_dnsauth.example.com. TXT a\n_dnsauth.example.com. TXT " +
				"b\n_dnsauth.example.com. 5 TXT a",
			txt("v1"), Observation{Seen: []string{"TXT a", "TXT b", "TXT c"}}},
		"a name that does not exist": {"", txt("v1"), Observation{}},
		"a name with another type":   {"_dnsauth.example.com. A 192.0.2.1", txt("v1"), Observation{}},
		"a name with others below":   {"x._dnsauth.example.com. TXT v1", txt("v1"), Observation{}},
		"the value behind an alias": {"_dnsauth.example.com. CNAME x.example.net.\nx.example.net. TXT v1",
			txt("v1"), visible},
		"the value behind three aliases": {"_dnsauth.example.com. CNAME x.net.\nx.net. CNAME y.net.\ny.net. CNAME " +
			"z.net.\nz.net. TXT v1", txt("v1"), visible},
		"another value behind aliases": {
			"_dnsauth.example.com. CNAME x.net.\nx.net. CNAME Y.net.\nY.net. TXT v2", txt("v1"),
			Observation{Seen: []string{"CNAME x.net", "CNAME y.net", "TXT v2"}}},
		"an alias of nothing": {"_dnsauth.example.com. CNAME gone.example.net.", txt("v1"),
			Observation{Seen: []string{"CNAME gone.example.net"}}},
		"the alias": {"_dnsauth.example.com. CNAME v1.dcv.example.net.",
			cname("v1.dcv.example.net"), visible},
		"the alias in other letters": {"_dnsauth.example.com. CNAME V1.DCV.example.net.",
			cname("v1.dcv.EXAMPLE.net."), visible},
		"another alias": {"_dnsauth.example.com. CNAME v2.dcv.example.net.",
			cname("v1.dcv.example.net"), Observation{Seen: []string{"CNAME v2.dcv.example.net"}}},
		"text where an alias should be": {"_dnsauth.example.com. TXT v1.dcv.example.net", cname("v1.dcv.example.net"),
			Observation{}},
		"the alias is not followed": {"_dnsauth.example.com. CNAME x.net.\nx.net. CNAME v1.dcv.example.net.",
			cname("v1.dcv.example.net"), Observation{Seen: []string{"CNAME x.net"}}},
		"an alias with the text as name": {"_dnsauth.example.com. CNAME v1.", txt("v1"),
			Observation{Seen: []string{"CNAME v1"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check := &SelfCheck{Nameservers: []string{serving(t, test.records).addr}}
			got, err := check.Check(t.Context(), test.record)
			if err != nil {
				t.Fatal(err)
			}
			wantSeen(t, got, test.want)
		})
	}
}

func TestStrangersRecordsTakeLittleRoom(t *testing.T) {
	var records strings.Builder
	for i := range 20 {
		fmt.Fprintf(&records, "_dnsauth.example.com. TXT \"%02d-%s\"\n", i, strings.Repeat("x", 200))
	}
	check := &SelfCheck{Nameservers: []string{serving(t, records.String()).addr}}
	got, err := check.Check(t.Context(), txt("v1"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 8 {
		want = append(want, fmt.Sprintf("TXT %02d-%s…", i, strings.Repeat("x", 93)))
	}
	wantSeen(t, got, Observation{Seen: want})
}

func TestATruncatedAnswerIsAskedForAgainOverTCP(t *testing.T) {
	var records strings.Builder
	for i := range 30 {
		fmt.Fprintf(&records, "_dnsauth.example.com. TXT \"other-%02d-%s\"\n", i, strings.Repeat("x", 40))
	}
	server := serving(t, records.String()+"_dnsauth.example.com. TXT v1\n")
	check := &SelfCheck{Nameservers: []string{server.addr}}
	got, err := check.Check(t.Context(), txt("v1"))
	if err != nil || !got.Visible {
		t.Errorf("got %+v, %v", got, err)
	}
	wantQuestions(t, server, "udp TXT _dnsauth.example.com.", "tcp TXT _dnsauth.example.com.")
}

func TestEveryServerThatAnswersMustShowTheRecord(t *testing.T) {
	showing := serving(t, "_dnsauth.example.com. TXT v1").addr
	empty := serving(t, "").addr
	other := serving(t, "_dnsauth.example.com. TXT v2").addr
	failing := refusing(t, dns.RcodeServerFailure).addr
	tests := map[string]struct {
		servers []string
		want    Observation
	}{
		"both do":                     {[]string{showing, showing}, Observation{Visible: true}},
		"one shows nothing":           {[]string{showing, empty}, Observation{}},
		"one shows another value":     {[]string{other, showing}, Observation{Seen: []string{"TXT v2"}}},
		"one fails":                   {[]string{failing, showing}, Observation{Visible: true}},
		"one is down":                 {[]string{showing, down(t)}, Observation{Visible: true}},
		"one is down, others do not":  {[]string{down(t), empty, other}, Observation{Seen: []string{"TXT v2"}}},
		"one fails, another is empty": {[]string{failing, empty}, Observation{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := (&SelfCheck{Nameservers: test.servers}).Check(t.Context(), txt("v1"))
			if err != nil {
				t.Fatal(err)
			}
			wantSeen(t, got, test.want)
		})
	}
}
