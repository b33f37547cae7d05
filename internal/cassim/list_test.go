// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

type listRequest = sdkcas.ListUserCertificateOrderRequest

func (w *world) list(change func(*listRequest)) *sdkcas.ListUserCertificateOrderResponse {
	w.t.Helper()
	req := sdkcas.CreateListUserCertificateOrderRequest()
	if change != nil {
		change(req)
	}
	resp, err := w.cas.ListUserCertificateOrder(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func ids(resp *sdkcas.ListUserCertificateOrderResponse) []string {
	found := []string{}
	for _, item := range resp.CertificateOrderList {
		found = append(found, strconv.FormatInt(item.OrderId, 10))
	}
	return found
}

func TestAListingFindsByDomainIdAndStatus(t *testing.T) {
	w := start(t, cassim.Options{})
	a, b, c := w.order("example.com"), w.order("shop.example.com"), w.order("example.net")
	w.ForceState(b, cassim.StateVerifyFail)
	w.ForceState(c, cassim.StatePayed)
	keyword := func(k string) func(*listRequest) { return func(r *listRequest) { r.Keyword = k } }
	status := func(s string) func(*listRequest) { return func(r *listRequest) { r.Status = s } }
	tests := map[string]struct {
		change func(*listRequest)
		want   []string
	}{
		"everything, the newest first": {nil, []string{c, b, a}},
		"by type":                      {func(r *listRequest) { r.OrderType = "CPACK" }, []string{c, b, a}},
		"by domain, fuzzy":             {keyword("Example.com"), []string{b, a}},
		"by id":                        {keyword(a), []string{a}},
		"nothing":                      {keyword("example.org"), []string{}},
		"being checked":                {status("CHECKING"), []string{a}},
		"failed":                       {status("CHECKED_FAIL"), []string{b}},
		"paid":                         {status("PAYED"), []string{c}},
		"by both": {func(r *listRequest) { r.Keyword, r.Status = "example.com", "CHECKED_FAIL" },
			[]string{b}},
	}
	for name, test := range tests {
		resp := w.list(test.change)
		if diff := cmp.Diff(test.want, ids(resp)); diff != "" || int(resp.TotalCount) != len(test.want) {
			t.Errorf("%s: %d in total (-want +got):\n%s", name, resp.TotalCount, diff)
		}
	}
	instance := w.list(nil).CertificateOrderList[0].InstanceId
	if got := ids(w.list(keyword(instance))); !slices.Equal(got, []string{c}) {
		t.Errorf("by the resource id %s: %v", instance, got)
	}
	w.Vanish(a)
	if got := ids(w.list(nil)); !slices.Equal(got, []string{c, b}) {
		t.Errorf("an order that vanished is listed: %v", got)
	}
}

func TestAListingIsPaged(t *testing.T) {
	w := start(t, cassim.Options{})
	w.SetPackage(cassim.DefaultProduct, 100, 0)
	var all []string
	for range 55 {
		all = append([]string{w.order("example.com")}, all...)
	}
	first := w.list(nil)
	if !slices.Equal(ids(first), all[:50]) || first.ShowSize != 50 || first.CurrentPage != 1 || first.TotalCount != 55 {
		t.Errorf("the first page has %d of %d, size %d", len(first.CertificateOrderList), first.TotalCount,
			first.ShowSize)
	}
	second := w.list(func(r *listRequest) { r.CurrentPage = requests.NewInteger(2) })
	if !slices.Equal(ids(second), all[50:]) || second.CurrentPage != 2 || second.TotalCount != 55 {
		t.Errorf("the second page has %v", ids(second))
	}
	third := w.list(
		func(r *listRequest) { r.CurrentPage, r.ShowSize = requests.NewInteger(3), requests.NewInteger(20) })
	if !slices.Equal(ids(third), all[40:]) {
		t.Errorf("the third page of 20 has %v", ids(third))
	}
	if beyond := w.list(func(r *listRequest) { r.CurrentPage = requests.NewInteger(9) }); len(ids(beyond)) != 0 ||
		beyond.TotalCount != 55 {
		t.Errorf("a page beyond the last has %v", ids(beyond))
	}
	for _, spoil := range []func(*listRequest){
		func(r *listRequest) { r.CurrentPage = "0" },
		func(r *listRequest) { r.ShowSize = "-1" },
		func(r *listRequest) { r.ShowSize = "many" },
		func(r *listRequest) { r.OrderType = "BUY" },
	} {
		req := sdkcas.CreateListUserCertificateOrderRequest()
		spoil(req)
		if _, err := w.cas.ListUserCertificateOrder(req); codeOf(err)[:17] != "InvalidParameter." {
			t.Errorf("got %v", err)
		}
	}
}

func TestAListingHasAllDocumentedFields(t *testing.T) {
	w := start(t, cassim.Options{})
	w.SetPackage("geotrust-dv-w-starter", 1, 0)
	req := w.application("*.example.com")
	req.ProductCode = "geotrust-dv-w-starter"
	id := w.create(req)
	w.publish(id)
	got := w.list(nil).CertificateOrderList[0]
	order, _ := w.Order(id)
	want := sdkcas.CertificateOrderListItem{
		OrderId: got.OrderId, InstanceId: "cas-dv-" + id[len(id)-8:], Domain: "*.example.com", Status: "ISSUED",
		ProductCode: "geotrust-dv-w-starter",
		ProductName: "DV SSL", RootBrand: "GEOTRUST", CertType: "DV", DomainType: "WILDCARD", DomainCount: 0,
		WildDomainCount: 1, Algorithm: "ECC",
		BuyDate: began.UnixMilli(), CertStartTime: began.UnixMilli(),
		CertEndTime:    began.Add(200 * 24 * time.Hour).UnixMilli(),
		PartnerOrderId: "p" + id, SourceType: "aliyun", TrusteeStatus: "unTrustee",
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || strconv.FormatInt(got.OrderId, 10) != id ||
		order.State != "certificate" {
		t.Errorf("the item (-want +got):\n%s", diff)
	}

	w.order("example.com")
	free := w.list(func(r *listRequest) { r.Status = "CHECKING" }).CertificateOrderList[0]
	if free.CertType != "FREE" || free.DomainType != "ONE" || free.DomainCount != 1 || free.CertStartTime != 0 {
		t.Errorf("the free order is %+v", free)
	}
	for after, status := range map[time.Duration]string{169: "ISSUED", 171: "WILLEXPIRED", 201: "EXPIRED"} {
		w.clock.SetTime(began.Add(after * 24 * time.Hour))
		if got := w.list(func(r *listRequest) { r.Status = status }); len(got.CertificateOrderList) != 1 {
			t.Errorf("after %d days it is not %s", after, status)
		}
	}
}

func TestANewOrderMayBeMissingFromListings(t *testing.T) {
	w := start(t, cassim.Options{ListDelay: time.Minute})
	id := w.order("example.com")
	w.pass(time.Minute - time.Second)
	if got := ids(w.list(nil)); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	w.pass(time.Second)
	if got := ids(w.list(nil)); !slices.Equal(got, []string{id}) {
		t.Errorf("at last: %v", got)
	}
}

func TestAListingIsOfOneAccount(t *testing.T) {
	packages := map[string]int{cassim.DefaultProduct: 20}
	w := start(t, cassim.Options{Accounts: []cassim.Account{
		{ID: "1", Keys: []cassim.Key{{ID: "one", Secret: "s1"}}, Packages: packages},
		{ID: "2", Keys: []cassim.Key{{ID: "two", Secret: "s2"}}, Packages: packages},
	}})
	mine := w.order("example.com")
	w.cas, _ = w.clients("two", "s2", "")
	theirs := w.order("example.com")
	if got := ids(w.list(nil)); !slices.Equal(got, []string{theirs}) {
		t.Errorf("the second account sees %v", got)
	}
	ledger := w.Ledger()
	if ledger[0].OrderID != mine || ledger[0].AccountID != "1" || ledger[1].AccountID != "2" {
		t.Errorf("the ledger is %+v", ledger)
	}
	w.wantPackage(20, 1, 0)
}
