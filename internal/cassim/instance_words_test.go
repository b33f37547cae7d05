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

func TestTheWordsOfATask(t *testing.T) {
	each(t, "taskWords", map[string][3]string{
		"success": {"processing", "success", "failed"}, "COMPLETED": {"PENDING", "COMPLETED", "FAILED"},
		"other": {"running", "done", "rejected"},
	}, func(t *testing.T, w *world, want [3]string) {
		id := w.AddInstance(bought)
		task := func() any { return w.must("GetTaskAttribute", params{"TaskId": id})["TaskStatus"] }
		w.RefuseSubmission(id, "no")
		w.update(id, "example.com")
		w.apply(id)
		got := [3]any{2: task()}
		w.wantStatus(id, "inactive")
		w.apply(id)
		got[0] = task()
		w.pass(time.Minute)
		got[1] = task()
		if got != [3]any{want[0], want[1], want[2]} {
			t.Errorf("got %v", got)
		}
	})
	each(t, "taskBefore", map[string]string{"notFound": "NotFound", "empty": ""},
		func(t *testing.T, w *world, want string) {
			if _, err := w.do("GetTaskAttribute", params{"TaskId": w.AddInstance(bought)}); codeOf(err) != want {
				t.Errorf("got %v", err)
			}
		})
}

func TestHowNumbersAreWritten(t *testing.T) {
	each(t, "idTypes", map[string]bool{"number": false, "large": false, "string": true},
		func(t *testing.T, w *world, isString bool) {
			got := w.detail(w.issued(bought, "example.com"))["CertificateId"]
			text, ok := got.(string)
			if number, isNumber := got.(json.Number); isNumber {
				text = number.String()
			}
			if ok != isString || (len(text) > 9) != strings.HasSuffix(t.Name(), "large") {
				t.Errorf("got %#v", got)
			}
			if stored := w.must("GetUserCertificateDetail", params{"CertId": text}); stored["Cert"] == nil {
				t.Errorf("got %v", stored)
			}
		})
	each(t, "timeUnit", map[string]int{"milliseconds": 13, "seconds": 10}, func(t *testing.T, w *world, digits int) {
		got := w.detail(w.issued(bought, "example.com"))
		for _, name := range []string{"CertificateNotAfter", "InstanceEndTime", "OrderStartTime"} {
			if n, _ := got[name].(json.Number); len(n.String()) != digits {
				t.Errorf("%s is %v", name, got[name])
			}
		}
	})
}

func TestWhatIsCheckedOfACSR(t *testing.T) {
	write := func(w *world, id, csr, domain string) string {
		_, err := w.do("UpdateInstance", params{"InstanceId": id, "Csr": csr, "GenerateCsrMethod": "upload",
			"Domain": domain, "KeyAlgorithm": "RSA_2048"})
		return codeOf(err)
	}
	each(t, "instanceSANs", map[string]string{"compared": "InvalidParameter.Domain", "ignored": "",
		"honoured": "InvalidParameter.Domain"}, func(t *testing.T, w *world, want string) {
		w.SetKnobs(func(k *cassim.Knobs) { k.KeyWord = cassim.KeyWordIgnored })
		if got := write(w, w.AddInstance(bought), newCSR(t, newKey(t), "example.com", "other.example.com"),
			"example.com"); got != want {
			t.Errorf("got %q", got)
		}
	})
	each(t, "instanceCN", map[string]string{"required": "InvalidParameter.Csr", "optional": ""},
		func(t *testing.T, w *world, want string) {
			w.SetKnobs(func(k *cassim.Knobs) { k.KeyWord = cassim.KeyWordIgnored })
			if got := write(w, w.AddInstance(bought), newCSR(t, newKey(t), "", "example.com"),
				"example.com"); got != want {
				t.Errorf("got %q", got)
			}
		})
	each(t, "keyWord", map[string]string{"checked": "InvalidParameter.KeyAlgorithm", "ignored": ""},
		func(t *testing.T, w *world, want string) {
			if got := write(w, w.AddInstance(bought), newCSR(t, newKey(t), "example.com"), "example.com"); got != want {
				t.Errorf("got %q", got)
			}
		})
	each(t, "instanceCSRReuse", map[string][2]string{"accepted": {"", ""}, "refused": {"ParamRepeat", ""},
		"keyRefused": {"ParamRepeat", "ParamRepeat"}}, func(t *testing.T, w *world, want [2]string) {
		key := newKey(t)
		csr := newCSR(t, key, "example.com")
		apply := func(csr string) string {
			id := w.AddInstance(bought)
			w.must("UpdateInstance", params{"InstanceId": id, "Csr": csr, "GenerateCsrMethod": "upload"})
			_, err := w.do("ApplyCertificate", params{"InstanceId": id})
			return codeOf(err)
		}
		if first := apply(csr); first != "" {
			t.Fatalf("the first: %s", first)
		}
		if got := [2]string{apply(csr), apply(newCSR(t, key, "example.com", "example.com"))}; got[0] != want[0] ||
			(want[0] != "" && got[1] != want[1]) {
			t.Errorf("got %v", got)
		}
	})
	each(t, "csrText", map[string]bool{"asSent": true, "rewrapped": false, "CRLF": false},
		func(t *testing.T, w *world, isSame bool) {
			id := w.AddInstance(bought)
			csr := w.update(id, "example.com")
			if got := w.detail(id)["Csr"]; (got == csr) != isSame || got == "" {
				t.Errorf("got %v", got)
			}
		})
}

func TestAnInstanceThatIsNotThere(t *testing.T) {
	each(t, "instanceNotFound",
		map[string]string{"NotFound": "NotFound", "InvalidInstanceId.NotFound": "InvalidInstanceId.NotFound"},
		func(t *testing.T, w *world, want string) {
			vanished := w.AddInstance(bought)
			w.VanishInstance(vanished)
			for _, id := range []string{"cas-none", vanished} {
				for _, action := range []string{"GetInstanceDetail", "ApplyCertificate", "CancelPendingCertificate",
					"UpdateInstance"} {
					_, err := w.do(action, params{"InstanceId": id})
					wantCode(t, err, 400, want)
				}
			}
			w.ReappearInstance(vanished)
			w.wantStatus(vanished, "inactive")
		})
}
