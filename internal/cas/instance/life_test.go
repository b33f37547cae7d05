// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

// world is the simulator, with a clock that only the test moves, and a client in front of it.
type world struct {
	*cassim.Server
	t      *testing.T
	ctx    context.Context
	clock  *clock
	client *instance.Client
}

func start(t *testing.T, knobs cassim.InstanceKnobs) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), clock: &clock{now: clients.Noon}}
	w.Server = cassim.New(cassim.Options{Clock: w.clock, Logf: t.Logf, Knobs: cassim.Knobs{InstanceKnobs: knobs}})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.client = newClient(t, w.URL(), func(c *cas.Config) {
		c.Credentials = rpc.StaticCredentials(
			rpc.Credentials{AccessKeyID: cassim.DefaultKeyID, AccessKeySecret: cassim.DefaultKeySecret})
		c.Now = w.clock.Now
	})
	return w
}

// clock shows the time that the test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (w *world) pass(d time.Duration) {
	w.clock.mu.Lock()
	defer w.clock.mu.Unlock()
	w.clock.now = w.clock.now.Add(d)
}

// Buys an instance that the names fit.
func (w *world) buy(names ...string) instance.ID {
	bought := cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m", Brand: "Alibaba"}
	for _, name := range names {
		if strings.HasPrefix(name, "*.") {
			bought.WildcardNames++
		} else {
			bought.SingleNames++
		}
	}
	return instance.ID(w.AddInstance(bought))
}

// Returns a CSR of a new key.
func (w *world) request(names ...string) (text string, der []byte) {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: names[0]}, DNSNames: names}
	if der, err = x509.CreateCertificateRequest(rand.Reader, template, key); err != nil {
		w.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), der
}

func (w *world) update(id instance.ID, names ...string) (der []byte) {
	w.t.Helper()
	update := newUpdate()
	update.Names = names
	update.CSR, der = w.request(names...)
	w.wantDone(w.client.Update(w.ctx, id, update, w.clock.Now()))
	return der
}

func (w *world) wantDone(got instance.Change) {
	w.t.Helper()
	if got.Outcome != instance.Done || got.Err != nil || got.RequestID == "" {
		w.t.Fatalf("got %+v", got)
	}
}

func (w *world) describe(id instance.ID) *instance.Detail {
	w.t.Helper()
	detail, err := w.client.Describe(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return detail
}

// Applies, and waits until CAS tells the validation records.
func (w *world) apply(id instance.ID) *instance.Detail {
	w.t.Helper()
	w.wantDone(w.client.Apply(w.ctx, id, w.clock.Now()))
	w.pass(3 * time.Minute)
	return w.describe(id)
}

// Adds a record, as a person does who takes RootDomain for the zone.
func (w *world) publish(v instance.Validation) {
	w.t.Helper()
	if !v.IsComplete() {
		w.t.Fatalf("the record is %+v", v)
	}
	w.AddRecord(v.RootDomain, strings.TrimSuffix(v.Key, "."+v.RootDomain), v.Type, v.Value)
}

func (w *world) issued(id instance.ID, names ...string) *instance.Detail {
	w.t.Helper()
	w.update(id, names...)
	for _, v := range w.apply(id).Validations {
		w.publish(v)
	}
	return w.describe(id)
}

func TestALifeOfAnInstance(t *testing.T) {
	w := start(t, cassim.InstanceKnobs{InstanceDNS: cassim.Off})
	names := []string{"example.com", "*.example.com", "shop.example.com"}
	w.AddInstance(cassim.NewInstance{})
	id := w.buy(names...)

	page, err := w.client.List(w.ctx, instance.Query{Status: instance.StatusInactive, Type: instance.TypeBought})
	if err != nil || page.Total != 1 || len(page.Items) != 1 || page.Items[0].ID != id ||
		page.Items[0].HasCertificate() {
		t.Fatalf("got %+v, %v", page, err)
	}
	if got := page.Items[0]; got.SingleNames != 2 || got.WildcardNames != 1 || !got.BoughtAt.Equal(clients.Noon) ||
		!got.TermStart.IsZero() {
		t.Errorf("got %+v", got)
	}
	if _, err := w.client.Task(w.ctx, id); !cas.IsNotFound(err) {
		t.Errorf("the task before the application: %v", err)
	}
	der := w.update(id, names...)
	written := w.describe(id)
	if !instance.SameRequest(written.CSR, der) || written.Status != instance.StatusInactive ||
		len(written.Validations) != 0 || written.AutoReissue {
		t.Errorf("got %+v", written)
	}
	w.wantDone(w.client.Apply(w.ctx, id, w.clock.Now()))
	if again := w.client.Apply(w.ctx, id, w.clock.Now()); again.Outcome != instance.Unknown ||
		!cas.IsWrongState(again.Err) {
		t.Errorf("a second application: %+v", again)
	}
	w.pass(time.Minute)
	if task, err := w.client.Task(w.ctx, id); err != nil || task.Status != instance.TaskSuccess {
		t.Errorf("got %+v, %v", task, err)
	}
	pending := w.describe(id)
	if pending.Status != instance.StatusPending || len(pending.Validations) != 3 ||
		!instance.SameRequest(pending.CSR, der) {
		t.Fatalf("got %+v", pending)
	}
	for _, v := range pending.Validations {
		w.publish(v)
	}
	done := w.describe(id)
	if done.Status != instance.StatusNormal || done.CertificateStatus != instance.CertificateIssued ||
		!done.HasCertificate() {
		t.Fatalf("got %+v", done)
	}
	if !done.CertificateNotBefore.Equal(w.clock.Now()) || !done.TermStart.Equal(w.clock.Now()) ||
		done.TermEnd.IsZero() {
		t.Errorf("got %+v", done)
	}
	text, err := w.client.Certificate(w.ctx, done.CertificateID)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(text))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := leaf.VerifyHostname(strings.Replace(name, "*", "any", 1)); err != nil {
			t.Error(err)
		}
	}
	if err := w.InstanceHarm(); err != nil || len(w.Applications()) != 1 {
		t.Errorf("%v, %+v", err, w.Applications())
	}
}

func TestAnInstanceIssuesAgainForAnotherRequest(t *testing.T) {
	w := start(t, cassim.InstanceKnobs{})
	id := w.buy("example.com")
	first := w.issued(id, "example.com")
	w.pass(24 * time.Hour)
	second := w.issued(id, "example.com")
	if first.CertificateID == second.CertificateID || !second.HasCertificate() || len(w.Applications()) != 2 {
		t.Errorf("got %+v after %+v", second, first)
	}
	if _, err := w.client.Certificate(w.ctx, first.CertificateID); err != nil {
		t.Errorf("the first certificate: %v", err)
	}
}

func TestAnApplicationIsWithdrawn(t *testing.T) {
	w := start(t, cassim.InstanceKnobs{InstanceDNS: cassim.Off})
	id := w.buy("example.com")
	if got := w.client.Cancel(w.ctx, id, w.clock.Now()); got.Outcome != instance.Unknown || !cas.IsWrongState(got.Err) {
		t.Errorf("without an application: %+v", got)
	}
	w.update(id, "example.com")
	w.apply(id)
	w.wantDone(w.client.Cancel(w.ctx, id, w.clock.Now()))
	if got := w.describe(id); got.Status != instance.StatusPending {
		t.Errorf("at once: %+v", got)
	}
	w.pass(10 * time.Minute)
	if got := w.describe(id); got.Status != instance.StatusNormal || got.HasCertificate() {
		t.Errorf("later: %+v", got)
	}
}

func TestAWriteWhoseAnswerIsLostIsUnknownAndShowsInTheDetail(t *testing.T) {
	for _, executed := range []bool{true, false} {
		w := start(t, cassim.InstanceKnobs{})
		id := w.buy("example.com")
		for _, action := range []string{"UpdateInstance", "ApplyCertificate"} {
			w.Inject(cassim.Fault{Action: action, Kind: cassim.DropReply, Executed: executed})
		}
		text, der := w.request("example.com")
		update := newUpdate()
		update.Names, update.CSR = []string{"example.com"}, text
		if got := w.client.Update(w.ctx, id, update, w.clock.Now()); got.Outcome != instance.Unknown {
			t.Errorf("executed %t: got %+v", executed, got)
		}
		if got := instance.SameRequest(w.describe(id).CSR, der); got != executed {
			t.Errorf("executed %t: the detail has the CSR: %t", executed, got)
		}
		if got := w.client.Apply(w.ctx, id, w.clock.Now()); got.Outcome != instance.Unknown {
			t.Errorf("executed %t: got %+v", executed, got)
		}
		w.pass(time.Minute)
		if got := w.describe(id).Status == instance.StatusPending; got != executed {
			t.Errorf("executed %t: it is pending: %t", executed, got)
		}
		if calls := w.CallsForInstance(string(id)); calls["UpdateInstance"] != 1 || calls["ApplyCertificate"] != 1 {
			t.Errorf("executed %t: calls %v", executed, calls)
		}
	}
}
