// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestAForcedStateGoesOnFromNow(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	id := w.order("example.com")
	w.ForceState(id, cassim.StateUnknow)
	w.publish(id)
	w.pass(48 * time.Hour)
	w.wantState(id, "unknow")
	w.ForceState(id, "reviewing")
	w.wantState(id, "reviewing")
	if got := w.list(nil).CertificateOrderList[0].Status; got != "REVIEWING" {
		t.Errorf("the listing says %s", got)
	}
	w.ForceState(id, cassim.StateProcess)
	w.pass(time.Hour - time.Second)
	w.wantState(id, "process")
	w.pass(time.Second)
	w.wantState(id, "certificate")

	other := w.order("shop.example.com")
	w.ForceState(other, cassim.StateCertificate)
	if got := w.describe(other); got.Type != "certificate" || len(chain(t, got.Certificate)) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestTheCAMakesTheMistakesThatAreAskedFor(t *testing.T) {
	w := start(t, cassim.Options{})
	key := newKey(t)
	issue := func(steer func(id string)) cassim.OrderView {
		req := w.application("example.com")
		req.Csr = newCSR(t, key, "example.com", "example.com")
		w.SetKnobs(func(k *cassim.Knobs) { k.CSRReuse = cassim.ReuseAccepted })
		id := w.create(req)
		steer(id)
		w.ForceState(id, cassim.StateCertificate)
		order, _ := w.Order(id)
		return order
	}
	usual := chain(t, issue(func(string) {}).Certificate)[0]
	if !key.PublicKey.Equal(usual.PublicKey) {
		t.Error("without a mistake the key is wrong")
	}
	if leaf := chain(t, issue(w.WrongKey).Certificate)[0]; key.PublicKey.Equal(leaf.PublicKey) {
		t.Error("the key is the CSR's")
	}
	wrong := issue(func(id string) { w.WrongNames(id, "a.example.net", "b.example.net") })
	if leaf := chain(t, wrong.Certificate)[0]; !slices.Equal(
		leaf.DNSNames, []string{"a.example.net", "b.example.net"}) {
		t.Errorf("the names are %v", leaf.DNSNames)
	}
	extra := issue(func(id string) { w.ExtraNames(id, "a.example.net") })
	if leaf := chain(t, extra.Certificate)[0]; !slices.Equal(
		leaf.DNSNames, []string{"example.com", "www.example.com", "a.example.net"}) {
		t.Errorf("the names are %v", leaf.DNSNames)
	}
	nb, na := began.Add(-48*time.Hour), began.Add(-24*time.Hour)
	dated := issue(func(id string) { w.WrongDates(id, nb, na) })
	if leaf := chain(t, dated.Certificate)[0]; !leaf.NotBefore.Equal(nb) || !leaf.NotAfter.Equal(na) {
		t.Errorf("the dates are %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	lone := issue(func(id string) { w.OrderChain(id, cassim.ChainLeafOnly) })
	if got := len(chain(t, lone.Certificate)); got != 1 {
		t.Errorf("the chain has %d certificates", got)
	}
}

func TestMistakesOfTestsPanic(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.order("example.com")
	for name, mistake := range map[string]func(){
		"an order that is not there": func() { w.ForceState("1", cassim.StateProcess) },
		"a key that is not there":    func() { w.SetKeyDisabled("nobody", true) },
		"a value that is not there":  func() { w.SetKnobs(func(k *cassim.Knobs) { k.Chain = "none" }) },
		"a chain that is not there":  func() { w.OrderChain(id, "none") },
		"a fault that is not there":  func() { w.Inject(cassim.Fault{Kind: "Earthquake"}) },
		"a fault of no action":       func() { w.Inject(cassim.Fault{Kind: cassim.HTML200, Action: "Create"}) },
		"a record that cannot be":    func() { w.AddRecord("example.com", "a b", "TXT", "x") },
		"a zone that is there":       func() { w.AddZone("Example.com", "") },
		"a zone of no account":       func() { w.AddZone("example.net", "7") },
		"knobs of no such value":     func() { cassim.New(cassim.Options{Knobs: cassim.Knobs{Chain: "none"}}) },
		"two accounts of one id": func() {
			cassim.New(cassim.Options{Accounts: []cassim.Account{{ID: "1"}, {ID: "1"}}})
		},
		"two accounts with one zone": func() {
			cassim.New(cassim.Options{Accounts: []cassim.Account{{Zones: []string{"a.de", "A.de."}}}})
		},
		"a role that is not there":     func() { w.SetRole("nobody", func(*cassim.Role) {}) },
		"a provider that is not there": func() { w.OIDCProviderARN("nobody") },
		"a mode that is not there":     func() { w.SetMetadata("Slow") },
		"an instance without its role": func() { w.SetInstanceRole("nobody") },
		"a role of no instance": func() {
			o := withRoles(cassim.Role{Name: "users"})
			o.InstanceRole = "users"
			cassim.New(o)
		},
		"two roles of one name": func() { cassim.New(withRoles(cassim.Role{Name: "one"}, cassim.Role{Name: "one"})) },
		"a new name for a role": func() {
			cassim.New(withRoles(cassim.Role{Name: "one"})).SetRole("one", func(r *cassim.Role) { r.Name = "two" })
		},
		"a provider without keys": func() {
			cassim.New(cassim.Options{
				Accounts: []cassim.Account{{OIDCProviders: []cassim.OIDCProvider{{Name: "one"}}}}})
		},
		"two accounts with one key id": func() {
			cassim.New(cassim.Options{Accounts: []cassim.Account{{Keys: make([]cassim.Key, 2)}}})
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			mistake()
		}()
	}
	if w.RemoveRecord("1") || w.LockRecord("1", true) || w.DisableRecord("1", true) {
		t.Error("a record that is not there was changed")
	}
}
