// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rfc2136_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/rfc2136"
	"github.com/aliyun-issuer/aliyun-issuer/test/primary"
)

const (
	foreign = `_dnsauth.www.example.com. 300 IN TXT "somebody else's"`
	ours    = `_dnsauth.www.example.com. 60 IN TXT "token"`
)

var challenge = dcv.Challenge{Domain: "www.example.com", RecordName: "_dnsauth.www", RecordType: "TXT",
	RecordValue: "token"}

func solver(t *testing.T, server *primary.Server, changes ...func(*rfc2136.Config)) *rfc2136.Solver {
	t.Helper()
	config := rfc2136.Config{
		Nameserver: server.Addr, KeyName: server.KeyName, Secret: func(context.Context) (string, error) {
			return server.Secret, nil
		},
	}
	for _, change := range changes {
		change(&config)
	}
	s, err := rfc2136.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// claims remembers what was claimed last.
type claims struct{ last *dcv.Record }

func (c *claims) claim(_ context.Context, rec dcv.Record) error {
	c.last = &rec
	return nil
}

func wantRecords(t *testing.T, server *primary.Server, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, normal(server.Records())); diff != "" {
		t.Errorf("the zone is not as it should be (-want +got):\n%s", diff)
	}
}

func normal(records []string) []string {
	var out []string
	for _, r := range records {
		out = append(out, strings.Join(strings.Fields(r), " "))
	}
	return out
}

func TestARecordIsAddedOnceAndRemovedByItsValue(t *testing.T) {
	server := primary.Start(t, "example.com", foreign)
	s, c := solver(t, server), &claims{}
	rec, err := s.Present(t.Context(), challenge, nil, c.claim)
	if err != nil {
		t.Fatal(err)
	}
	want := dcv.Record{FQDN: "_dnsauth.www.example.com", Type: "TXT", Value: "token", Zone: "example.com"}
	if rec != want || c.last == nil || *c.last != want {
		t.Fatalf("presented %+v, claimed %+v", rec, c.last)
	}
	wantRecords(t, server, foreign, ours)
	if again, err := s.Present(t.Context(), challenge, &rec, c.claim); err != nil || again != rec {
		t.Fatalf("presented again: %+v, %v", again, err)
	}
	wantRecords(t, server, foreign, ours)
	for range 2 {
		if err := s.CleanUp(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		wantRecords(t, server, foreign)
	}
}

func TestARecordOfOthersWithTheSameValueStays(t *testing.T) {
	server := primary.Start(t, "example.com", ours)
	c := &claims{}
	rec, err := solver(t, server).Present(t.Context(), challenge, nil, c.claim)
	if err != nil || !rec.Foreign || c.last != nil {
		t.Fatalf("presented %+v, claimed %+v, %v", rec, c.last, err)
	}
	if err := solver(t, server).CleanUp(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, server, ours)
}

// TestAnUpdateWhoseAnswerWasLostIsOurs is a crash between the claim and the answer: before the update, and after it.
func TestAnUpdateWhoseAnswerWasLostIsOurs(t *testing.T) {
	for _, isSent := range []bool{false, true} {
		server := primary.Start(t, "example.com", foreign)
		s, c, crash := solver(t, server), &claims{}, errors.New("crash")
		_, err := s.Present(t.Context(), challenge, nil, func(ctx context.Context, rec dcv.Record) error {
			return errors.Join(c.claim(ctx, rec), crash)
		})
		if !errors.Is(err, crash) {
			t.Fatal(err)
		}
		wantRecords(t, server, foreign)
		if isSent {
			server.Add(t, ours)
		}
		rec, err := s.Present(t.Context(), challenge, c.last, c.claim)
		if err != nil || rec.Foreign {
			t.Fatalf("presented %+v, %v", rec, err)
		}
		if err := s.CleanUp(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		wantRecords(t, server, foreign)
	}
}

func TestACNAMEAndALongTextAreRecordsToo(t *testing.T) {
	server := primary.Start(t, "example.com")
	long := strings.Repeat("x", 300)
	for kind, value := range map[string]string{"CNAME": "token.dcv.example.net", "TXT": long} {
		ch := challenge
		ch.RecordType, ch.RecordValue, ch.RecordName = kind, value, "_"+strings.ToLower(kind)+".www.example.com"
		rec, err := solver(t, server).Present(t.Context(), ch, nil, (&claims{}).claim)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := (&dcv.SelfCheck{Nameservers: []string{server.Addr}}).Check(t.Context(), rec)
		if err != nil || !seen.Visible {
			t.Errorf("%s is visible: %+v, %v", kind, seen, err)
		}
		if err := solver(t, server).CleanUp(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	wantRecords(t, server)
}

func TestWhatAPersonMustMendIsAProblemThatSaysHow(t *testing.T) {
	wrongKey := func(c *rfc2136.Config) { c.KeyName = "other." }
	tests := map[string]struct {
		records []string
		change  func(*rfc2136.Config)
		refusal int
		kind    string
		domain  string
		want    string
	}{
		"another key": {change: wrongKey, want: `does not know the TSIG key "other."`},
		"another secret": {change: secret(base64.StdEncoding.EncodeToString([]byte("another"))),
			want: "has another secret or algorithm there"},
		"a secret that is no": {change: secret("%%%"), want: "is not in base64"},
		"another algorithm": {change: func(c *rfc2136.Config) { c.KeyName, c.Secret = "", nil },
			want: "name a TSIG key"},
		"refused": {refusal: dns.RcodeRefused, want: `let the zone take updates there from the TSIG key ` +
			`"update-key."`},
		"no updates at all": {refusal: dns.RcodeNotImplemented, want: "takes no dynamic updates"},
		"another zone":      {domain: "www.example.org", want: `has no zone that holds "www.example.org"`},
		"a CNAME in the way": {records: []string{"_dnsauth.www.example.com. 60 IN CNAME elsewhere.example.net."},
			want: `which leads to "elsewhere.example.net", is in the way`},
		"a TXT in the way": {records: []string{foreign}, kind: "CNAME", want: "in the way of the CNAME that " +
			"CAS asks for"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := primary.Start(t, "example.com", test.records...)
			server.Refuse(test.refusal)
			s := solver(t, server)
			if test.change != nil {
				s = solver(t, server, test.change)
			}
			ch := challenge
			if test.domain != "" {
				ch.Domain = test.domain
			}
			if test.kind != "" {
				ch.RecordType = test.kind
			}
			_, err := s.Present(t.Context(), ch, nil, (&claims{}).claim)
			problem, isProblem := errors.AsType[*dcv.Problem](err)
			if !isProblem || !strings.Contains(problem.Message, test.want) {
				t.Errorf("got %v, want a Problem with %q", err, test.want)
			}
			if strings.Contains(err.Error(), server.Secret) {
				t.Error("the key is told")
			}
			wantRecords(t, server, test.records...)
		})
	}
}

func secret(text string) func(*rfc2136.Config) {
	return func(c *rfc2136.Config) { c.Secret = func(context.Context) (string, error) { return text, nil } }
}

func TestWhatTimeHealsIsNoProblem(t *testing.T) {
	server := primary.Start(t, "example.com")
	server.Refuse(dns.RcodeServerFailure)
	_, err := solver(t, server).Present(t.Context(), challenge, nil, (&claims{}).claim)
	if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem {
		t.Errorf("SERVFAIL: %v", err)
	}
	_, err = solver(t, server, func(c *rfc2136.Config) { c.Nameserver = "127.0.0.1:1" }).Present(t.Context(), challenge,
		nil, (&claims{}).claim)
	if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem ||
		!strings.Contains(err.Error(), "the name server 127.0.0.1:1 did not answer: connect: connection refused") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestAServerThatFailsSaysNothing has somebody else's record with the same value, which nobody can see for a while.
func TestAServerThatFailsSaysNothing(t *testing.T) {
	server := primary.Start(t, "example.com")
	server.Add(t, ours)
	for _, kind := range []uint16{dns.TypeSOA, dns.TypeTXT} {
		server.FailQuestions(kind)
		claimed := &claims{}
		_, err := solver(t, server).Present(t.Context(), challenge, nil, claimed.claim)
		if _, isProblem := errors.AsType[*dcv.Problem](err); err == nil || isProblem || claimed.last != nil {
			t.Errorf("%s: %v, and it claimed %+v", dns.TypeToString[kind], err, claimed.last)
		}
	}
	server.FailQuestions(0)
	rec, err := solver(t, server).Present(t.Context(), challenge, nil, (&claims{}).claim)
	if err != nil || !rec.Foreign {
		t.Errorf("once it answers: %+v, %v", rec, err)
	}
}
