// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// listed are the ids on a page, and the total.
func (w *world) listed(given params) (ids []string, total string) {
	w.t.Helper()
	answer := w.must("ListInstances", given)
	for _, item := range answer["InstanceList"].([]any) {
		ids = append(ids, item.(map[string]any)["InstanceId"].(string))
	}
	return ids, answer["TotalCount"].(json.Number).String()
}

func TestAListingOfInstances(t *testing.T) {
	w := start(t, cassim.Options{})
	test := w.AddInstance(cassim.NewInstance{Name: "of a test"})
	issued := w.issued(bought, "shop.example.com")
	grouped := w.AddInstance(cassim.NewInstance{Type: cassim.InstanceBought, CertificateType: "OV", Brand: "GeoTrust",
		ResourceGroup: "rg-2"})
	for name, test := range map[string]struct {
		given params
		want  []string
	}{
		"all":                {nil, []string{grouped, issued, test}},
		"by status":          {params{"Status": "normal"}, []string{issued}},
		"by type":            {params{"InstanceType": "TEST"}, []string{test}},
		"by brand":           {params{"Brand": "GeoTrust"}, []string{grouped}},
		"by certificate":     {params{"CertificateType": "DV"}, []string{issued, test}},
		"by its status":      {params{"CertificateStatus": "issued"}, []string{issued}},
		"by resource group":  {params{"ResourceGroupId": "rg-2"}, []string{grouped}},
		"by domain":          {params{"Keyword": "shop"}, []string{issued}},
		"by name":            {params{"Keyword": "of a test"}, []string{test}},
		"by id":              {params{"Keyword": test[4:]}, []string{test}},
		"by what nobody has": {params{"Keyword": "nothing"}, nil},
		"the second page":    {params{"ShowSize": "2", "CurrentPage": "2"}, []string{test}},
		"the third page":     {params{"ShowSize": "2", "CurrentPage": "3"}, nil},
	} {
		got, total := w.listed(test.given)
		if diff := cmp.Diff(test.want, got); diff != "" || test.given["ShowSize"] != "" && total != "3" {
			t.Errorf("%s: a total of %s (-want +got):\n%s", name, total, diff)
		}
	}
	_, err := w.do("ListInstances", params{"ShowSize": "101"})
	wantCode(t, err, 400, "InvalidParameter.ShowSize")
	items := w.must("ListInstances", params{"Keyword": "shop"})["InstanceList"].([]any)
	for _, absent := range []string{"Csr", "DomainValidationList", "Tags", "ContactIdList"} {
		if _, ok := items[0].(map[string]any)[absent]; ok {
			t.Errorf("a listing tells %s", absent)
		}
	}
	summary := w.must("GetInstanceSummary", nil)
	if fmt.Sprintf("%v %v", summary["TotalCount"], summary["InactiveCount"]) != "3 2" {
		t.Errorf("got %v", summary)
	}
}

func TestAListingMayNotBeHonest(t *testing.T) {
	each(t, "instanceList", map[string]string{"steady": "", "shuffled": "", "drifting": "", "lagging": ""},
		func(t *testing.T, w *world, _ string) {
			id := w.AddInstance(bought)
			for range 30 {
				w.AddInstance(bought)
			}
			var ids []string
			var totals string
			for page := range 4 {
				got, total := w.listed(params{"ShowSize": "10", "CurrentPage": fmt.Sprint(page + 1)})
				ids, totals = append(ids, got...), totals+" "+total
			}
			seen := map[string]bool{}
			for _, id := range ids {
				seen[id] = true
			}
			knob := w.Knobs().InstanceList
			if len(ids) != 31 || (len(seen) == 31) == (knob == "shuffled") ||
				(totals == " 31 31 31 31") == (knob == "drifting") {
				t.Errorf("%d of %d, %s", len(seen), len(ids), totals)
			}
			w.update(id, "example.com")
			w.apply(id)
			w.pass(10 * time.Second)
			w.wantStatus(id, "pending")
			if got, _ := w.listed(params{"Status": "pending"}); (len(got) == 0) != (knob == "lagging") {
				t.Errorf("pending are %v", got)
			}
			w.pass(time.Minute)
			if got, _ := w.listed(params{"Status": "pending"}); len(got) != 1 {
				t.Errorf("later pending are %v", got)
			}
		})
}

func TestWhatEndsAnInstanceIsRecorded(t *testing.T) {
	each(t, "revokeDefault", map[string][2]bool{"latest": {false, true}, "all": {true, true},
		"refused": {false, false}}, func(t *testing.T, w *world, want [2]bool) {
		id := w.issued(bought, "example.com")
		_ = w.again(id)
		w.pass(5 * time.Minute)
		w.prove(id)
		_, _ = w.do("RevokeCertificate", params{"InstanceId": id})
		view, _ := w.Instance(id)
		if got := [2]bool{view.Applications[0].Revoked, view.Applications[1].Revoked}; got != want {
			t.Errorf("got %v", got)
		}
		_, err := w.do("RefundInstance", params{"InstanceId": id})
		wantCode(t, err, 400, "CouldNotRefund.NotSupport")
		_, err = w.do("DeleteInstance", params{"InstanceId": id})
		wantCode(t, err, 400, "InvalidStatus.DeleteProtection")
	})
}

func TestRAMAndRatesHoldForInstances(t *testing.T) {
	w := with(t, "throttling", "on")
	id := w.AddInstance(bought)
	w.DenyAction(cassim.DefaultKeyID, "GetTaskAttribute")
	_, err := w.do("GetTaskAttribute", params{"TaskId": id})
	wantCode(t, err, 403, "Forbidden.RAM")
	throttled := 0
	for range 12 {
		if _, err := w.do("GetInstanceDetail", params{"InstanceId": id}); codeOf(err) == "Throttling.User" {
			throttled++
		}
	}
	if throttled == 0 {
		t.Error("nothing was throttled")
	}
}

func TestAGrantForAResourceGroup(t *testing.T) {
	for value, want := range map[string][4]string{
		"ignored":  {"Forbidden.RAM", "Forbidden.RAM", "Forbidden.RAM", "Forbidden.RAM"},
		"honoured": {"", "", "Forbidden.RAM", "Forbidden.RAM"}} {
		account := cassim.DefaultAccount()
		account.Keys = []cassim.Key{{ID: "two", Secret: "s2", ResourceGroups: []string{"rg-2"}}}
		w := start(t, cassim.Options{Accounts: []cassim.Account{account},
			Knobs: cassim.Knobs{InstanceKnobs: cassim.InstanceKnobs{GroupGrants: value}}})
		inside, outside := w.AddInstance(cassim.NewInstance{ResourceGroup: "rg-2"}), w.AddInstance(cassim.NewInstance{})
		_, within := w.do("GetInstanceDetail", params{"InstanceId": inside})
		_, listed := w.do("ListInstances", params{"ResourceGroupId": "rg-2"})
		_, without := w.do("GetInstanceDetail", params{"InstanceId": outside})
		_, all := w.do("ListInstances", nil)
		if got := [4]string{codeOf(within), codeOf(listed), codeOf(without), codeOf(all)}; got != want {
			t.Errorf("%s: got %v", value, got)
		}
	}
}

func TestInstancesAreOfOneAccount(t *testing.T) {
	w := start(t, cassim.Options{
		Accounts: []cassim.Account{cassim.DefaultAccount(), {ID: "2", Keys: []cassim.Key{{ID: "two", Secret: "s2"}}}}})
	mine, theirs := w.AddInstance(bought), w.AddInstance(cassim.NewInstance{AccountID: "2"})
	if got, _ := w.listed(nil); len(got) != 1 || got[0] != mine {
		t.Errorf("got %v", got)
	}
	_, err := w.do("GetInstanceDetail", params{"InstanceId": theirs})
	wantCode(t, err, 400, "NotFound")
}

func TestPeopleSteerInstancesThroughTheAdminAPI(t *testing.T) {
	w := start(t, cassim.Options{})
	post := func(path, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/-/instances"+path,
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode
	}
	if got := post("", `{"type":"BUY","spec":"ss.dv.f","months":12,"contact":86400001}`); got != 201 {
		t.Fatalf("HTTP %d", got)
	}
	if got := post("", `{"type":"GIFT"}`); got != 400 {
		t.Errorf("a gift: HTTP %d", got)
	}
	id := url.PathEscape(w.Instances()[0].InstanceID)
	for _, step := range []struct {
		verb, body string
		want       int
	}{
		{"apply", ``, 409}, {"write", `{"names":["example.com"]}`, 204}, {"refuse", ``, 204}, {"apply", ``, 204},
		{"apply", ``, 204}, {"fail", `{"reason":"no"}`, 204},
		{"status", `{"status":"closed"}`, 204}, {"status", `{}`, 204}, {"upgrade", `{"singleNames":2}`, 204},
		{"chain", `{"chain":"none"}`, 409}, {"chain", `{"chain":"leaf"}`, 204},
		{"host", ``, 409}, {"freeze", ``, 204}, {"thaw", ``, 204}, {"dance", ``, 404}, {"write", `{"name":"x"}`, 400},
		{"vanish", ``, 204}, {"reappear", ``, 204}, {"lasts", `{"lasts":"soon"}`, 409},
	} {
		if got := post("/"+id+"/"+step.verb, step.body); got != step.want {
			t.Errorf("%s %s: HTTP %d", step.verb, step.body, got)
		}
	}
	if got := w.Applications(); len(got) != 2 || got[0].State != "refused" || got[1].State != "failed" ||
		!got[1].Foreign {
		t.Errorf("got %+v", got)
	}
}

// TestACertificateLivesAsLongAsPeopleSay shortens the life of a first certificate, and of that one only.
func TestACertificateLivesAsLongAsPeopleSay(t *testing.T) {
	w := start(t, cassim.Options{})
	id := w.AddInstance(bought)
	for n, test := range []struct {
		said string
		want time.Duration
	}{{"90s", 90 * time.Second}, {"0s", 200 * 24 * time.Hour}} {
		w.admin(204, "POST", "instances/"+url.PathEscape(id)+"/lasts", `{"lasts": "`+test.said+`"}`)
		w.update(id, "example.com")
		w.apply(id)
		w.pass(time.Minute)
		w.prove(id)
		w.wantStatus(id, "normal")
		leaf := chain(t, w.Applications()[n].Certificate)[0]
		if got := leaf.NotAfter.Sub(leaf.NotBefore); got != test.want {
			t.Errorf("said %s: it lives for %s", test.said, got)
		}
	}
}
