// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// records are the entries of DomainValidationList, each as its name, key, type and whether it has a value. They are nil
// if there is no list.
func (w *world) records(id string) []string {
	w.t.Helper()
	list, ok := w.detail(id)["DomainValidationList"].([]any)
	if !ok {
		return nil
	}
	told := []string{}
	for _, entry := range list {
		e := entry.(map[string]any)
		told = append(told, fmt.Sprint(e["Domain"], " ", e["ValidationKey"], " ", e["ValidationType"], " ",
			e["ValidationValue"] != ""))
	}
	return told
}

func TestWhenAndHowRecordsAreTold(t *testing.T) {
	begin := func(w *world, names ...string) (id string) {
		w.SetKnobs(func(k *cassim.Knobs) { k.PendingDelay = "0s" })
		id = w.AddInstance(bought)
		w.update(id, names...)
		w.apply(id)
		return id
	}
	whole := []string{"a.example.com _dnsauth.a TXT true"}
	each(t, "recordsDelay", map[string]time.Duration{"5s": 5 * time.Second, "0s": 0, "60s": time.Minute},
		func(t *testing.T, w *world, want time.Duration) {
			id := begin(w, "a.example.com")
			if want > 0 {
				w.pass(want - time.Second)
				if got := w.records(id); got != nil {
					t.Errorf("too early: %v", got)
				}
				w.pass(time.Second)
			}
			if diff := cmp.Diff(whole, w.records(id)); diff != "" {
				t.Error(diff)
			}
		})
	each(t, "recordsShape", map[string][]string{"absent": nil, "empty": {}, "withoutValue": {"a.example.com " +
		"_dnsauth.a TXT false"}}, func(t *testing.T, w *world, want []string) {
		id := begin(w, "a.example.com")
		if diff := cmp.Diff(want, w.records(id)); diff != "" {
			t.Error(diff)
		}
		w.pass(time.Minute)
		if diff := cmp.Diff(whole, w.records(id)); diff != "" {
			t.Error(diff)
		}
	})
	each(t, "validationKey", map[string]string{"relative": "_dnsauth.a", "zone": "_dnsauth", "apex": "@",
		"fqdn": "_dnsauth.a.example.com"}, func(t *testing.T, w *world, want string) {
		id := begin(w, "a.example.com")
		w.pass(time.Minute)
		if diff := cmp.Diff([]string{"a.example.com " + want + " TXT true"}, w.records(id)); diff != "" {
			t.Error(diff)
		}
		w.prove(id)
		w.wantStatus(id, "normal")
	})
	each(t, "recordsForWildcard", map[string]int{"own": 2, "shared": 2, "merged": 1},
		func(t *testing.T, w *world, want int) {
			id := begin(w, "example.com", "*.example.com")
			w.pass(time.Minute)
			view, _ := w.Instance(id)
			records := view.Applications[0].Records
			isShared := records[0].Value == records[1].Value
			if got := w.records(id); len(got) != want || isShared == strings.HasSuffix(t.Name(), "own") {
				t.Errorf("got %v for %+v", got, records)
			}
		})
}

func TestAnAliasIsARecordOfAnApplication(t *testing.T) {
	w := with(t, "recordType", "CNAME")
	id := w.applied(bought, "example.com", "*.example.com")
	view, _ := w.Instance(id)
	r := view.Applications[0].Records
	if r[0].Type != "CNAME" || r[0].Value != r[1].Value {
		t.Fatalf("got %+v", r)
	}
	w.AddRecord("example.com", "_dnsauth", "CNAME", r[0].Value)
	w.wantStatus(id, "normal")
}

func TestCASMayAddTheRecordItself(t *testing.T) {
	each(t, "instanceDNS", map[string][3]string{
		"2m": {"pending", "normal", "true"}, "off": {"pending", "pending", "true"}, "unseen": {"normal", "normal", ""},
	}, func(t *testing.T, w *world, want [3]string) {
		w.SetKnobs(func(k *cassim.Knobs) { k.RecordsDelay = "5s" })
		id := w.AddInstance(bought)
		w.update(id, "example.com")
		w.apply(id)
		w.pass(7 * time.Second)
		if want[2] == "" && w.records(id) != nil {
			t.Errorf("a record is told: %v", w.records(id))
		}
		w.pass(time.Minute)
		w.wantStatus(id, want[0])
		w.pass(time.Minute + 2*time.Second)
		w.wantStatus(id, want[1])
		added := 0
		for _, r := range w.Records("example.com") {
			if r.RR == "_dnsauth" {
				added++
			}
		}
		if wantAdded := map[bool]int{true: 1}[strings.HasSuffix(t.Name(), "2m")]; added != wantAdded {
			t.Errorf("%d records were added", added)
		}
		elsewhere := w.AddInstance(bought)
		w.update(elsewhere, "elsewhere.com")
		w.apply(elsewhere)
		w.pass(time.Hour)
		w.wantStatus(elsewhere, "pending")
		if got := w.records(elsewhere); len(got) != 1 {
			t.Errorf("of a zone elsewhere: %v", got)
		}
	})
}
