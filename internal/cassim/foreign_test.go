// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestAForeignOrderIsBilledAndListedLikeAnyOther(t *testing.T) {
	w := start(t, cassim.Options{})
	w.SetPackage("geotrust-dv-w-starter", 1, 0)
	bought := began.Add(-48 * time.Hour)
	mine := w.order("example.com")
	theirs := w.AddForeignOrder("*.Example.com", func(f *cassim.ForeignOrder) {
		f.Product, f.BoughtAt, f.State, f.Tags = "geotrust-dv-w-starter", bought, cassim.StatePayed,
			map[string]string{"by": "hand"}
	})
	usual := w.AddForeignOrder("example.com")
	entries := w.Ledger()
	want := []cassim.LedgerEntry{
		{
			OrderID: theirs, ProductCode: "geotrust-dv-w-starter", Domain: "*.example.com", BoughtAt: bought,
			State: cassim.StatePayed, Tags: map[string]string{"by": "hand"}, Foreign: true,
		},
		{OrderID: mine, ProductCode: cassim.DefaultProduct, Domain: "example.com", BoughtAt: began,
			State: cassim.StateDomainVerify, Tags: map[string]string{}},
		{OrderID: usual, ProductCode: cassim.DefaultProduct, Domain: "example.com", BoughtAt: began,
			State: cassim.StateDomainVerify, Foreign: true},
	}
	fingerprints := map[string]bool{}
	for i := range entries {
		fingerprints[entries[i].CSRFingerprint] = true
		entries[i].CSRFingerprint, entries[i].AccountID = "", ""
	}
	if diff := cmp.Diff(want, entries); diff != "" || len(fingerprints) != 3 {
		t.Errorf("%d CSRs, the ledger (-want +got):\n%s", len(fingerprints), diff)
	}
	if w.UsedCount("geotrust-dv-w-starter") != 1 || w.UsedCount(cassim.DefaultProduct) != 2 {
		t.Error("a foreign order is not billed to its plan")
	}
	w.wantListed(usual, mine, theirs)
	if item := w.list(nil).CertificateOrderList[2]; item.BuyDate != bought.UnixMilli() || item.Status != "PAYED" {
		t.Errorf("listed: %+v", item)
	}
}

func TestAForeignOrderGoesThroughItsStates(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	id := w.AddForeignOrder("example.com")
	if told := w.describe(id); told.Type != cassim.StateDomainVerify || told.RecordValue == "" {
		t.Errorf("told: %+v", told)
	}
	w.publish(id)
	w.wantState(id, cassim.StateProcess)
	w.pass(time.Hour)
	w.wantState(id, cassim.StateCertificate)

	old := w.AddForeignOrder("example.com", func(f *cassim.ForeignOrder) {
		f.State, f.BoughtAt = cassim.StateCertificate, began.Add(-24*time.Hour)
	})
	if leaf := chain(t, w.describe(old).Certificate)[0]; !leaf.NotBefore.Equal(began.Add(-24 * time.Hour)) {
		t.Errorf("issued at %v", leaf.NotBefore)
	}
}

func TestHarmToAForeignOrderIsTold(t *testing.T) {
	w := start(t, cassim.Options{})
	mine, theirs := w.order("example.com"), w.AddForeignOrder("example.com")
	w.describe(theirs)
	w.list(nil)
	w.mustCancel(mine)
	if harm := w.ForeignHarm(); harm != nil || w.CallsFor(theirs)["DescribeCertificateState"] != 1 {
		t.Errorf("reading is no harm, and is counted: %v, %v", harm, w.CallsFor(theirs))
	}
	wantCode(t, w.delete(theirs), 403, "OrderStateError")
	if harm := w.ForeignHarm(); harm == nil ||
		!strings.Contains(harm.Error(), "DeleteCertificateRequest named the order "+theirs) {
		t.Errorf("an attempt is harm: %v", harm)
	}
	w.mustCancel(theirs)
	if harm := w.ForeignHarm(); harm == nil || !strings.Contains(harm.Error(), "CancelOrderRequest named the order "+
		theirs) {
		t.Errorf("the cancellation is harm: %v", harm)
	}
}

func TestForeignOrdersThatCannotBePanic(t *testing.T) {
	w := start(t, cassim.Options{})
	w.SetPackage("used-up", 1, 1)
	for name, mistake := range map[string]func(){
		"no domain": func() { w.AddForeignOrder("a b") },
		"no plan": func() {
			w.AddForeignOrder("example.com", func(f *cassim.ForeignOrder) { f.Product = "none" })
		},
		"nothing left": func() {
			w.AddForeignOrder("example.com", func(f *cassim.ForeignOrder) { f.Product = "used-up" })
		},
		"wrong wildcard": func() { w.AddForeignOrder("*.example.com") },
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
	if len(w.Ledger()) != 0 {
		t.Errorf("billed: %+v", w.Ledger())
	}
}
