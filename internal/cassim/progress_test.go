// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestTheCAWatchesAlsoWhenNobodyAsks(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: time.Minute, CADelay: time.Hour})
	id := w.order("example.com")
	w.pass(10 * time.Minute)
	w.publish(id)
	w.pass(24 * time.Hour)
	order, _ := w.Order(id)
	if order.State != "certificate" {
		t.Fatalf("the order is in state %s", order.State)
	}
	at := began.Add(10 * time.Minute)
	if !order.VisibleSince.Equal(at) || !order.ValidatedAt.Equal(at.Add(time.Minute)) ||
		!order.IssuedAt.Equal(at.Add(61*time.Minute)) {
		t.Errorf("visible %v, validated %v, issued %v", order.VisibleSince, order.ValidatedAt, order.IssuedAt)
	}
	if leaf := chain(t, order.Certificate)[0]; !leaf.NotBefore.Equal(order.IssuedAt) {
		t.Errorf("the certificate is valid from %v", leaf.NotBefore)
	}
}

func TestARecordOlderThanItsTellingCountsFromTheTelling(t *testing.T) {
	w := start(t, cassim.Options{RecordDelay: time.Hour, DCVDelay: time.Minute, CADelay: time.Hour})
	id := w.order("example.com")
	w.publish(id)
	w.pass(time.Hour + time.Minute - time.Second)
	w.wantState(id, "domain_verify")
	w.pass(time.Second)
	w.wantState(id, "process")
}

func TestARecordThatGoesBeforeTheCALooksIsWorthNothing(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: time.Minute, CADelay: time.Hour})
	id := w.order("example.com")
	record := w.publish(id)
	w.pass(time.Minute - time.Second)
	if !w.RemoveRecord(record) {
		t.Fatal("it is not there")
	}
	w.pass(time.Hour)
	w.wantState(id, "domain_verify")
	w.publish(id)
	w.pass(time.Minute - time.Second)
	w.wantState(id, "domain_verify")
	w.pass(time.Second)
	w.wantState(id, "process")
}

func TestARecordThatGoesAfterTheCALookedHasDoneItsWork(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: time.Minute, CADelay: time.Hour})
	id := w.order("example.com")
	record := w.publish(id)
	w.pass(time.Minute) // nobody has asked for the state since
	w.RemoveRecord(record)
	w.wantState(id, "process")
}

func TestOnlyTheRightRecordValidates(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: time.Second})
	id := w.order("shop.example.com")
	order, _ := w.Order(id)
	value := order.RecordValue
	for name, record := range map[string][4]string{
		"another value":  {"example.com", "_dnsauth.shop", "TXT", value + "x"},
		"another name":   {"example.com", "_dnsauth", "TXT", value},
		"the name twice": {"example.com", "_dnsauth.shop.example.com", "TXT", value},
		"another zone":   {"example.net", "_dnsauth.shop", "TXT", value},
	} {
		record := w.AddRecord(record[0], record[1], record[2], record[3])
		w.pass(time.Minute)
		if got := w.describe(id).Type; got != "domain_verify" {
			t.Errorf("%s: %s", name, got)
		}
		w.RemoveRecord(record)
	}
	alias := w.AddRecord("example.com", "_dnsauth.shop", "CNAME", value[:32]+".example.net")
	w.pass(time.Minute)
	w.wantState(id, "domain_verify")
	w.RemoveRecord(alias)

	right := w.AddRecord("example.com", "_dnsauth.shop", "TXT", value)
	w.DisableRecord(right, true)
	w.pass(time.Minute)
	w.wantState(id, "domain_verify")
	w.DisableRecord(right, false)
	w.pass(time.Minute)
	w.wantState(id, "certificate")
}

func TestTheCAFollowsAnAlias(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: time.Minute, CADelay: time.Hour})
	id := w.order("example.com")
	order, _ := w.Order(id)
	w.AddRecord("example.com", "_dnsauth", "CNAME", "here.dcv.example.net")
	w.wantState(id, "domain_verify")
	w.pass(time.Hour)
	w.AddRecord("dcv.example.net", "here", "TXT", order.RecordValue)
	w.pass(time.Minute - time.Second)
	w.wantState(id, "domain_verify")
	w.pass(time.Second)
	w.wantState(id, "process")
}

func TestAZoneOfItsOwnShadowsTheRecordsOfItsParent(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.order("a.sub.example.com")
	w.AddZone("sub.example.com", "")
	w.publish(id)
	w.wantState(id, "domain_verify")
	order, _ := w.Order(id)
	w.AddRecord("sub.example.com", "_dnsauth.a", "TXT", order.RecordValue)
	w.wantState(id, "certificate")
}

func TestTheCAAsksTheResolverThatIsConfigured(t *testing.T) {
	var value atomic.Value
	value.Store("")
	server := &dns.Server{Addr: "127.0.0.1:0", Net: "udp"}
	server.Handler = dns.HandlerFunc(func(rw dns.ResponseWriter, query *dns.Msg) {
		answer := new(dns.Msg).SetReply(query)
		if query.Question[0].Name == "_dnsauth.elsewhere.net." && query.Question[0].Qtype == dns.TypeTXT &&
			value.Load() != "" {
			rr, _ := dns.NewRR(fmt.Sprintf(`_dnsauth.elsewhere.net. 60 IN TXT "%s"`, value.Load()))
			answer.Answer = append(answer.Answer, rr)
		}
		_ = rw.WriteMsg(answer)
	})
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { _ = server.ListenAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })

	w := start(t, cassim.Options{Resolver: server.PacketConn.LocalAddr().String(), DCVDelay: time.Minute,
		CADelay: time.Hour})
	id := w.order("elsewhere.net")
	w.wantState(id, "domain_verify")
	order, _ := w.Order(id)
	value.Store(order.RecordValue)
	w.pass(time.Hour)
	w.wantState(id, "domain_verify") // the first look that finds it
	w.pass(time.Minute - time.Second)
	w.wantState(id, "domain_verify")
	w.pass(time.Second)
	w.wantState(id, "process")
}

func TestAFileValidatesOnlyWhereItIsServedDirectly(t *testing.T) {
	var content atomic.Value
	var redirects, lacksWWW atomic.Bool
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case redirects.Load() && !strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(rw, r, "/moved"+r.URL.Path, http.StatusFound)
		case (r.Host == "example.com" || r.Host == "www.example.com" && !lacksWWW.Load()) &&
			strings.HasSuffix(r.URL.Path, "/.well-known/pki-validation/fileauth.txt"):
			_, _ = rw.Write([]byte(content.Load().(string) + "\n"))
		default:
			http.NotFound(rw, r)
		}
	}))
	t.Cleanup(web.Close)
	content.Store("")
	w := start(t, cassim.Options{WebAddr: web.Listener.Addr().String(), RecordDelay: time.Second})
	req := w.application("example.com")
	req.ValidateType = "FILE"
	id := w.create(req)
	if got := w.describe(id); got.Uri != "" || got.Content != "" || got.Domain != "" || got.ValidateType != "FILE" {
		t.Errorf("right after the create: %+v", got)
	}
	w.pass(time.Second)
	told := w.describe(id)
	if told.Type != "domain_verify" || told.Domain != "example.com" ||
		told.Uri != "/.well-known/pki-validation/fileauth.txt" || told.RecordDomain != "" {
		t.Errorf("told is %+v", told)
	}
	content.Store(told.Content)
	redirects.Store(true)
	w.wantState(id, "domain_verify")
	lacksWWW.Store(true)
	redirects.Store(false)
	w.wantState(id, "domain_verify")
	lacksWWW.Store(false)
	w.wantState(id, "certificate")
	order, _ := w.Order(id)
	if names := chain(t, order.Certificate)[0].DNSNames; len(names) != 1 {
		t.Errorf("names were added after validation by file: %v", names)
	}
}

func TestADigiCertValueIsDeadAfterADay(t *testing.T) {
	w := start(t, cassim.Options{DCVDelay: time.Minute})
	w.SetPackage("geotrust-dv-1-starter", 1, 0)
	dead := w.order("example.com")
	req := w.application("example.com")
	req.ProductCode = "geotrust-dv-1-starter"
	alive := w.create(req)
	w.pass(24*time.Hour - time.Minute)
	w.publish(dead)
	w.publish(alive)
	w.pass(time.Hour)
	w.wantState(dead, "domain_verify")
	w.wantState(alive, "certificate")

	atLast := w.order("shop.example.com")
	w.pass(24*time.Hour - time.Minute - time.Second)
	w.publish(atLast)
	w.pass(time.Hour)
	w.wantState(atLast, "certificate")
}
