// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

func TestWhatACancellationLeavesBehind(t *testing.T) {
	cancel := func(w *world, id string) {
		w.t.Helper()
		w.must("CancelPendingCertificate", params{"InstanceId": id})
	}
	each(t, "afterCancel", map[string]string{"normal": "normal", "inactive": "inactive"},
		func(t *testing.T, w *world, want string) {
			id := w.applied(bought, "example.com")
			cancel(w, id)
			w.pass(time.Hour)
			w.wantStatus(id, want)
		})
	each(t, "cancelDelay", map[string]time.Duration{"3m": 3 * time.Minute, "0s": 0, "10m": 10 * time.Minute},
		func(t *testing.T, w *world, want time.Duration) {
			id := w.applied(bought, "example.com")
			cancel(w, id)
			if want > 0 {
				w.pass(want - time.Second)
				w.wantStatus(id, "pending")
				w.pass(time.Second)
			}
			w.wantStatus(id, "normal")
		})
	each(t, "cancelRace", map[string]any{"wins": nil, "loses": "issued"}, func(t *testing.T, w *world, want any) {
		id := w.applied(bought, "example.com")
		cancel(w, id)
		w.prove(id)
		w.pass(time.Hour)
		if got := w.detail(id); got["Status"] != "normal" || got["CertificateStatus"] != want {
			t.Errorf("got %v", got)
		}
	})
	each(t, "cancelOfReapply", map[string]bool{"kept": true, "cleared": false},
		func(t *testing.T, w *world, want bool) {
			id := w.issued(bought, "example.com")
			_ = w.again(id)
			w.pass(time.Minute)
			cancel(w, id)
			w.pass(time.Hour)
			got := w.detail(id)
			if got["Status"] != "normal" || (got["CertificateId"] != nil) != want ||
				(got["CertificateStatus"] != nil) != want {
				t.Errorf("got %v", got)
			}
		})
	each(t, "cancelTooEarly", map[string]time.Duration{"15s": 15 * time.Second, "0s": 0, "2m": 2 * time.Minute},
		func(t *testing.T, w *world, want time.Duration) {
			w.SetKnobs(func(k *cassim.Knobs) { k.PendingDelay = "0s" })
			id := w.AddInstance(bought)
			w.update(id, "example.com")
			w.apply(id)
			if want > 0 {
				w.pass(want - time.Second)
				_, err := w.do("CancelPendingCertificate", params{"InstanceId": id})
				wantCode(t, err, 400, denied)
				w.pass(time.Second)
			}
			cancel(w, id)
		})
}
