// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// with is a simulator in which one knob about instances has a value.
func with(t *testing.T, name, value string) *world {
	t.Helper()
	var knobs cassim.Knobs
	if err := knobs.Set(name, value); err != nil {
		t.Fatal(err)
	}
	return start(t, cassim.Options{Knobs: knobs})
}

// each runs a test at each of the values.
func each[T any](t *testing.T, knob string, values map[string]T, test func(t *testing.T, w *world, want T)) {
	t.Helper()
	known := map[string]bool{}
	for _, unknown := range cassim.AllKnobs() {
		for _, value := range unknown.Values {
			known[unknown.Knob+"="+value] = true
		}
	}
	n := 0
	for value, want := range values {
		if !known[knob+"="+value] {
			t.Errorf("there is no %s=%s", knob, value)
		}
		n++
		t.Run(knob+"="+value, func(t *testing.T) { test(t, with(t, knob, value), want) })
	}
	for _, unknown := range cassim.AllKnobs() {
		if unknown.Knob == knob && len(unknown.Values) != n {
			t.Errorf("%d of the %d values of %s are tested", n, len(unknown.Values), knob)
		}
	}
}

var bought = cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m", Brand: "Alibaba", SingleNames: 2,
	WildcardNames: 1, Contact: cassim.DefaultContact}

const denied = "OperationDenied.StatusNotSupport"

// again updates and applies on an instance that has issued, and returns the codes of both.
func (w *world) again(id string) [2]string {
	w.t.Helper()
	_, updated := w.do("UpdateInstance", params{"InstanceId": id, "Csr": newCSR(w.t, newKey(w.t), "example.com"),
		"GenerateCsrMethod": "upload"})
	_, applied := w.do("ApplyCertificate", params{"InstanceId": id})
	return [2]string{codeOf(updated), codeOf(applied)}
}

func TestWhenAnInstanceIsAppliedWithAgain(t *testing.T) {
	each(t, "reapplyOnNormal", map[string][2]string{"anytime": {"", ""}, "720h": {denied, ""},
		"never": {denied, denied}}, func(t *testing.T, w *world, want [2]string) {
		id := w.issued(bought, "example.com")
		if got := w.again(id); got != [2]string{"", want[0]} {
			t.Errorf("at once: %v", got)
		}
		if want[0] == "" {
			return
		}
		w.pass(171 * 24 * time.Hour)
		if got := w.again(id); got != [2]string{"", want[1]} {
			t.Errorf("near the end: %v", got)
		}
	})
	each(t, "updateOnNormal", map[string][2]string{
		"allowed": {"", ""}, "protected": {"InvalidStatus.UpdateProtection", ""}, "applyRefused": {"", denied},
	}, func(t *testing.T, w *world, want [2]string) {
		if got := w.again(w.issued(bought, "example.com")); got != want {
			t.Errorf("got %v", got)
		}
	})
}

func TestANewInstanceMayBeProtected(t *testing.T) {
	each(t, "updateTooEarly", map[string]string{"0s": "", "2m": "InvalidStatus.UpdateProtection"},
		func(t *testing.T, w *world, want string) {
			id := w.AddInstance(bought)
			if got := w.again(id); got[0] != want {
				t.Errorf("at once: %v", got)
			}
			w.pass(2 * time.Minute)
			other := w.AddInstance(bought)
			w.pass(2 * time.Minute)
			if got := w.again(other); got[0] != "" {
				t.Errorf("later: %v", got)
			}
		})
}

func TestHowManyCertificatesAnInstanceIssues(t *testing.T) {
	each(t, "reapplyLimit", map[string]int{"unlimited": 3, "1": 1, "2": 2}, func(t *testing.T, w *world, want int) {
		id := w.issued(bought, "example.com")
		for range 2 {
			_ = w.again(id)
			w.pass(5 * time.Minute)
		}
		if view, _ := w.Instance(id); len(view.Applications) != want {
			t.Errorf("%d applications", len(view.Applications))
		}
	})
	each(t, "reapplyLimitCode",
		map[string]string{"InsufficientQuota": "InsufficientQuota", "DeductQuotaFailed": "DeductQuotaFailed"},
		func(t *testing.T, w *world, want string) {
			w.SetKnobs(func(k *cassim.Knobs) { k.ReapplyLimit = "1" })
			if got := w.again(w.issued(bought, "example.com")); got[1] != want {
				t.Errorf("got %v", got)
			}
		})
}

func TestWhatBecomesOfTheOldCertificate(t *testing.T) {
	each(t, "oldCertificate", map[string][3]any{
		"valid": {"issued", "issued", false}, "24h": {"issued", "revoked", true},
		"toldRevoked": {"revoked", "revoked", false},
	}, func(t *testing.T, w *world, want [3]any) {
		id := w.issued(bought, "example.com")
		_ = w.again(id)
		w.pass(5 * time.Minute)
		w.prove(id)
		view, _ := w.Instance(id)
		old := func() any {
			return w.must("GetCertificateDetail",
				params{"CertificateId": view.Applications[0].CertificateID})["CertificateStatus"]
		}
		first := old()
		w.pass(24 * time.Hour)
		second := old()
		if view, _ = w.Instance(id); view.Applications[0].Revoked != want[2] || first != want[0] || second != want[1] {
			t.Errorf("got %v, %v, revoked %t", first, second, view.Applications[0].Revoked)
		}
		if got := w.detail(id)["CertificateStatus"]; got != "issued" {
			t.Errorf("the instance tells %v", got)
		}
	})
}

func TestHowLongTheNextCertificateIsValid(t *testing.T) {
	each(t, "nextValidity", map[string]time.Duration{"full": 200 * 24 * time.Hour, "cut": 95 * 24 * time.Hour},
		func(t *testing.T, w *world, want time.Duration) {
			id := w.issued(bought, "example.com")
			w.pass(270 * 24 * time.Hour)
			_ = w.again(id)
			w.pass(5 * time.Minute)
			w.prove(id)
			view, _ := w.Instance(id)
			leaf := chain(t, view.Applications[1].Certificate)[0]
			if got := leaf.NotAfter.Sub(leaf.NotBefore); (got - want).Abs() > time.Hour {
				t.Errorf("it is valid for %v", got)
			}
		})
}

func TestWhatTheDetailTellsDuringAFurtherApplication(t *testing.T) {
	each(t, "detailDuringReapply", map[string][2]bool{"old": {true, true}, "empty": {false, true},
		"early": {true, false}}, func(t *testing.T, w *world, want [2]bool) {
		id := w.issued(bought, "example.com")
		first := w.detail(id)["CertificateId"]
		w.pass(10 * time.Minute)
		_ = w.again(id)
		w.pass(time.Minute)
		during := w.detail(id)
		if during["Status"] != "pending" || (during["CertificateId"] == first) != want[0] ||
			(during["CertificateStatus"] != nil) != want[0] {
			t.Errorf("got %v", during)
		}
		w.prove(id)
		after := w.detail(id)["CertificateId"].(json.Number)
		stored := w.must("GetUserCertificateDetail", params{"CertId": after.String()})
		if after == first || (stored["Cert"] != nil) != want[1] {
			t.Errorf("after %v: %v", first, stored)
		}
		w.pass(time.Minute)
		if stored = w.must("GetUserCertificateDetail", params{"CertId": after.String()}); stored["Cert"] == nil {
			t.Errorf("the text does not come: %v", stored)
		}
	})
}

func TestCASMaySubmitByItself(t *testing.T) {
	each(t, "autoSubmit", map[string][3]string{
		"never": {"", "inactive", "inactive"}, "0s": {denied, "pending", "pending"}, "30s": {"", "inactive", "pending"},
	}, func(t *testing.T, w *world, want [3]string) {
		w.SetKnobs(func(k *cassim.Knobs) { k.PendingDelay = "0s" })
		id := w.AddInstance(bought)
		w.update(id, "example.com")
		w.wantStatus(id, want[1])
		w.pass(time.Minute)
		w.wantStatus(id, want[2])
		other := w.AddInstance(bought)
		w.update(other, "example.com")
		_, err := w.do("ApplyCertificate", params{"InstanceId": other})
		if codeOf(err) != want[0] {
			t.Errorf("the application: %v", err)
		}
		w.pass(time.Hour)
		if view, _ := w.Instance(other); len(view.Applications) != 1 {
			t.Errorf("%d applications", len(view.Applications))
		}
		if err := w.InstanceHarm(); err != nil {
			t.Error(err)
		}
	})
	each(t, "pendingDelay", map[string]time.Duration{"3s": 3 * time.Second, "0s": 0, "60s": time.Minute},
		func(t *testing.T, w *world, want time.Duration) {
			id := w.AddInstance(bought)
			w.update(id, "example.com")
			w.apply(id)
			if want > 0 {
				w.pass(want - time.Second)
				w.wantStatus(id, "inactive")
				w.pass(time.Second)
			}
			w.wantStatus(id, "pending")
		})
}

func TestWhatAFailedReviewLeavesBehind(t *testing.T) {
	fail := func(w *world) (id string) {
		id = w.applied(bought, "example.com")
		w.FailApplication(id, "CAA forbids it, says a person")
		if got := w.detail(id)["PendingResult"]; got != "CAA forbids it, says a person" {
			w.t.Errorf("PendingResult is %v", got)
		}
		return id
	}
	each(t, "afterFailedReview", map[string]string{"inactive": "", "normal": "", "pending": denied},
		func(t *testing.T, w *world, want string) {
			id := fail(w)
			w.pass(24 * time.Hour)
			w.wantStatus(id, strings.TrimPrefix(t.Name(), "TestWhatAFailedReviewLeavesBehind/afterFailedReview="))
			if got := w.again(id); got[1] != want {
				t.Errorf("afterwards: %v", got)
			}
		})
	each(t, "failedTask", map[string]string{"failed": "CAA forbids it, says a person", "success": ""},
		func(t *testing.T, w *world, want string) {
			task := w.must("GetTaskAttribute", params{"TaskId": fail(w)})
			if task["TaskMessage"] != want || (task["TaskStatus"] == "failed") != (want != "") {
				t.Errorf("got %v", task)
			}
		})
	each(t, "failedCSR", map[string]bool{"kept": true, "dropped": false}, func(t *testing.T, w *world, want bool) {
		if got := w.detail(fail(w)); (got["Csr"] != nil) != want {
			t.Errorf("got %v", got)
		}
	})
}
