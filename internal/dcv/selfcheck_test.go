// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	dnsutil "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	"github.com/miekg/dns"
)

func TestThatNobodyAnsweredIsNoObservation(t *testing.T) {
	servfail, refused := refusing(t, dns.RcodeServerFailure).addr, refusing(t, dns.RcodeRefused).addr
	gone := down(t)
	texts := []string{servfail + ": SERVFAIL", refused + ": REFUSED", gone + ": read: connection refused"}
	slices.Sort(texts)
	want := "no name server answered for TXT _dnsauth.example.com: " + strings.Join(texts, "; ")
	for range 20 { // they answer in another order each time, from another port
		_, err := (&SelfCheck{Nameservers: []string{servfail, gone, refused}}).Check(t.Context(), txt("v1"))
		wantTrouble(t, err, want)
	}
}

func TestALookEndsThoughAServerNeverAnswers(t *testing.T) {
	server := silent(t)
	began := time.Now()
	_, err := (&SelfCheck{Nameservers: []string{server.addr}, Timeout: 100 * time.Millisecond}).Check(
		t.Context(), txt("v1"))
	wantTrouble(t, err, "no name server answered for TXT _dnsauth.example.com: "+server.addr+": i/o timeout")
	if took := time.Since(began); took > queryTimeout/2 {
		t.Errorf("it took %s", took)
	}
	wantQuestions(t, server, "udp TXT _dnsauth.example.com.")
}

func TestALookEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	server := serving(t, "_dnsauth.example.com. TXT v1")
	if got, err := (&SelfCheck{Nameservers: []string{server.addr}}).Check(ctx, txt("v1")); err == nil {
		t.Errorf("got %+v", got)
	}
}

func TestATypeThatIsNotKnownIsAProblemAndAsksNobody(t *testing.T) {
	for _, kind := range []string{"MX", "txt", ""} {
		server := serving(t, "")
		record := txt("v1")
		record.Type = kind
		_, err := (&SelfCheck{Nameservers: []string{server.addr}}).Check(t.Context(), record)
		wantProblem(t, err, fmt.Sprintf(`the record type %q cannot be checked, only TXT and CNAME: check `+
			`"_dnsauth.example.com" by hand`, kind))
		wantQuestions(t, server)
	}
}

func TestAServerThatNeverAnswersHoldsUpNobodyElse(t *testing.T) {
	good := serving(t, soa("example.com")+"_dnsauth.example.com. TXT v1")
	check := &SelfCheck{Nameservers: []string{silent(t).addr, good.addr}, Timeout: time.Second}
	if got, err := check.Check(t.Context(), txt("v1")); err != nil || !got.Visible {
		t.Errorf("got %+v, %v", got, err)
	}
	check.Timeout = time.Minute
	began := time.Now()
	if zone, err := check.FindZone(t.Context(), "www.example.com"); err != nil || zone != "example.com" {
		t.Errorf("got %q, %v", zone, err)
	}
	if took := time.Since(began); took > queryTimeout/2 { // the first answer settles it
		t.Errorf("it took %s", took)
	}
}

func TestWithoutNameserversTheSystemsAreAsked(t *testing.T) {
	server := serving(t, "_dnsauth.example.com. TXT v1")
	system := dnsutil.RecursiveNameservers
	dnsutil.RecursiveNameservers = []string{server.addr}
	t.Cleanup(func() { dnsutil.RecursiveNameservers = system })
	if got, err := new(SelfCheck).Check(t.Context(), txt("v1")); err != nil || !got.Visible {
		t.Errorf("got %+v, %v", got, err)
	}
}
