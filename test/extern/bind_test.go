// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

//go:build extern

package extern

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const (
	zone    = "example.com"
	keyName = "update-key"
)

// bind is a real name server with one zone, and with one key that may change and transfer it.
type bind struct {
	port   int
	secret string
}

// serveZone starts BIND. records are lines of its zone file.
func serveZone(t *testing.T, records ...string) *bind {
	t.Helper()
	b := &bind{port: freePort(t), secret: base64.StdEncoding.EncodeToString([]byte("a key for tests, 32 bytes long.."))}
	dir := t.TempDir()
	lines := append([]string{
		"$ORIGIN " + zone + ".", "$TTL 60",
		"@ IN SOA ns hostmaster 1 3600 600 86400 60", "@ IN NS ns", "ns IN A 127.0.0.1",
	}, records...)
	config := fmt.Sprintf(`
		options {
			directory %[1]q; pid-file none; check-names primary ignore; recursion no; dnssec-validation no;
			listen-on port %[2]d { 127.0.0.1; }; listen-on-v6 { none; };
		};
		controls { };
		key %[3]q { algorithm hmac-sha256; secret %[4]q; };
		zone %[5]q { type primary; file "zone"; allow-update { key %[3]q; }; allow-transfer { key %[3]q; }; };
	`, dir, b.port, keyName, b.secret, zone)
	for name, text := range map[string]string{"zone": strings.Join(lines, "\n") + "\n", "named.conf": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start(t, program(t, "extern/named"), "-g", "-c", filepath.Join(dir, "named.conf"))
	wait(t, "BIND answers", func() bool {
		_, err := dns.Exchange(new(dns.Msg).SetQuestion(zone+".", dns.TypeSOA), b.addr())
		return err == nil
	})
	return b
}

func (b *bind) addr() string { return loopback(b.port) }

// records are the zone without its SOA, sorted.
func (b *bind) records(t *testing.T) []string {
	t.Helper()
	key := keyName + "."
	query := new(dns.Msg).SetAxfr(zone+".").SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())
	transfer := &dns.Transfer{TsigSecret: map[string]string{key: b.secret}}
	answers, err := transfer.In(query, b.addr())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for answer := range answers {
		if answer.Error != nil {
			t.Fatal(answer.Error)
		}
		for _, rr := range answer.RR {
			if rr.Header().Rrtype != dns.TypeSOA {
				out = append(out, strings.ReplaceAll(rr.String(), "\t", " "))
			}
		}
	}
	slices.Sort(out)
	return out
}

func (b *bind) has(t *testing.T, value string) bool {
	t.Helper()
	return slices.ContainsFunc(b.records(t), func(record string) bool { return strings.Contains(record, value) })
}

// remove does what a person does with nsupdate.
func (b *bind) remove(t *testing.T, record string) {
	t.Helper()
	rr, err := dns.NewRR(record)
	if err != nil {
		t.Fatal(err)
	}
	key := keyName + "."
	update := new(dns.Msg).SetUpdate(zone + ".")
	update.Remove([]dns.RR{rr})
	update.SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{TsigSecret: map[string]string{key: b.secret}}
	reply, _, err := client.Exchange(update, b.addr())
	if err != nil || reply.Rcode != dns.RcodeSuccess {
		t.Fatalf("the record was not removed: %v, %v", err, reply)
	}
}

func (b *bind) host() (host, port string) {
	host, port, _ = net.SplitHostPort(b.addr()) // it was joined
	return host, port
}
