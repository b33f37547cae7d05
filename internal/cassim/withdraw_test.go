// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func (w *world) cancel(id string) error {
	req := sdkcas.CreateCancelOrderRequestRequest()
	req.OrderId = requests.Integer(id)
	_, err := w.cas.CancelOrderRequest(req)
	return err
}

func (w *world) delete(id string) error {
	req := sdkcas.CreateDeleteCertificateRequestRequest()
	req.OrderId = requests.Integer(id)
	_, err := w.cas.DeleteCertificateRequest(req)
	return err
}

func (w *world) wantPackage(total, used, issued int64) {
	w.t.Helper()
	resp, err := w.cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
	if err != nil {
		w.t.Fatal(err)
	}
	if resp.TotalCount != total || resp.UsedCount != used || resp.IssuedCount != issued ||
		resp.ProductCode != cassim.DefaultProduct {
		w.t.Errorf("the package is %+v, want %d %d %d", resp, total, used, issued)
	}
}

func TestOnlyDeletingGivesQuotaBack(t *testing.T) {
	w := start(t, cassim.Options{})
	w.SetPackage(cassim.DefaultProduct, 2, 0)
	w.wantPackage(2, 0, 0)
	first := w.order("one.example.com")
	w.wantPackage(2, 1, 0)
	second := w.order("two.example.com")
	w.wantPackage(2, 2, 0)
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("three.example.com"))
	wantCode(t, err, 404, "NotRemainCount")

	if err := w.cancel(first); err != nil {
		t.Fatal(err)
	}
	w.wantState(first, "payed")
	w.wantPackage(2, 2, 0)
	_, err = w.cas.CreateCertificateWithCsrRequest(w.application("three.example.com"))
	wantCode(t, err, 404, "NotRemainCount")

	if err := w.delete(first); err != nil {
		t.Fatal(err)
	}
	w.wantPackage(2, 1, 0)
	if ledger := w.Ledger(); !ledger[0].Released || ledger[1].Released || w.UsedCount(cassim.DefaultProduct) != 1 {
		t.Errorf("the ledger is %+v", ledger)
	}
	w.order("three.example.com")
	w.wantPackage(2, 2, 0)

	w.publish(second)
	w.wantState(second, "certificate")
	w.wantPackage(2, 2, 1)
}

func TestAPlanCanBeTakenAway(t *testing.T) {
	w := start(t, cassim.Options{})
	w.RemovePackage(cassim.DefaultProduct)
	_, err := w.cas.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
	wantCode(t, err, 404, "NotFoundPackage")
	if got := w.UsedCount(cassim.DefaultProduct); got != 0 {
		t.Errorf("%d are used of no plan", got)
	}
}

func TestEachStateAllowsWhatIsDocumented(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour})
	for state, allowed := range map[string]struct{ cancel, delete string }{
		cassim.StateDomainVerify: {"", "OrderStateError"},
		cassim.StateProcess:      {"", "OrderStateError"},
		cassim.StateVerifyFail:   {"OrderStateError", ""},
		cassim.StatePayed:        {"OrderStateError", ""},
		cassim.StateCertificate:  {"OrderStateError", "OrderStateError"},
		cassim.StateUnknow:       {"OrderStateError", "OrderStateError"},
	} {
		for _, verb := range []string{"cancel", "delete"} {
			id := w.order("example.com")
			w.ForceState(id, state)
			err, want := w.cancel(id), allowed.cancel
			if verb == "delete" {
				id = w.order("example.com")
				w.ForceState(id, state)
				err, want = w.delete(id), allowed.delete
			}
			if codeOf(err) != want {
				t.Errorf("%s of an order in %s: %v", verb, state, err)
			}
		}
	}
}

func TestAProcessIsCancelledOnlyWhileItLasts(t *testing.T) {
	w := start(t, cassim.Options{CADelay: time.Hour, CancelDelay: time.Minute})
	id := w.order("example.com")
	w.publish(id)
	w.wantState(id, "process")
	if err := w.cancel(id); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute - time.Second)
	w.wantState(id, "process")
	wantCode(t, w.delete(id), 403, "OrderStateError")
	w.pass(time.Second)
	w.wantState(id, "payed")
	w.pass(24 * time.Hour)
	w.wantState(id, "payed")
}

func TestAnOrderOfNobodyIsNotFound(t *testing.T) {
	packages := map[string]int{cassim.DefaultProduct: 20}
	w := start(t, cassim.Options{Accounts: []cassim.Account{
		{Keys: []cassim.Key{{ID: "one", Secret: "s1"}}, Packages: packages},
		{Keys: []cassim.Key{{ID: "two", Secret: "s2"}}, Packages: packages},
	}})
	describe := func(id string) error {
		req := sdkcas.CreateDescribeCertificateStateRequest()
		req.OrderId = requests.Integer(id)
		_, err := w.cas.DescribeCertificateState(req)
		return err
	}
	theirs, vanished, deleted := w.order("a.example.com"), w.order("b.example.com"), w.order("c.example.com")
	w.Vanish(vanished)
	w.ForceState(deleted, cassim.StatePayed)
	if err := w.delete(deleted); err != nil {
		t.Fatal(err)
	}
	mine := w.cas
	for name, id := range map[string]string{"never made": "1", "vanished": vanished, "deleted": deleted,
		"another account's": theirs} {
		if w.cas = mine; id == theirs {
			w.cas, _ = w.clients("two", "s2", "")
		}
		for verb, err := range map[string]error{"describe": describe(id), "cancel": w.cancel(id),
			"delete": w.delete(id)} {
			t.Run(verb+" an order that is "+name, func(t *testing.T) { wantCode(t, err, 404, "NotFoundOrder") })
		}
	}
	wantCode(t, describe("x"), 400, "InvalidParameter.OrderId")
	if view, ok := w.Order(vanished); !ok || !view.Vanished || view.Released {
		t.Errorf("the simulator knows %+v", view)
	}
	if _, ok := w.Order("1"); ok {
		t.Error("the simulator knows an order that was never made")
	}
}
