// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// TestTheClientReadsALifeHoweverItIsTold takes an instance through its life at each value of each knob about instances.
func TestTheClientReadsALifeHoweverItIsTold(t *testing.T) {
	for _, unknown := range cassim.AllKnobs() {
		for _, value := range unknown.Values {
			if !unknown.Instances {
				continue
			}
			t.Run(unknown.Knob+"="+value, func(t *testing.T) {
				var knobs cassim.Knobs
				if err := knobs.Set(unknown.Knob, value); err != nil {
					t.Fatal(err)
				}
				w := start(t, knobs.InstanceKnobs)
				id := w.buy("www.example.com")
				w.pass(5 * time.Minute)
				w.live(id)
			})
		}
	}
}

// Takes an instance from the first write to the download of its certificate.
func (w *world) live(id instance.ID) {
	w.t.Helper()
	if task, err := w.client.Task(w.ctx, id); err != nil && !cas.IsNotFound(err) || err == nil && task.Status != "" {
		w.t.Errorf("the task before: %+v, %v", task, err)
	}
	der := w.update(id, "www.example.com")
	if got := w.describe(id); !instance.SameRequest(got.CSR, der) {
		w.t.Errorf("another CSR: %s", got.CSR)
	}
	if got := w.client.Apply(w.ctx, id, w.clock.Now()); got.Outcome == instance.NotDone {
		w.t.Errorf("got %+v", got)
	}
	for n := 0; n < 20 && !w.describe(id).HasCertificate(); n++ {
		w.pass(time.Minute)
		for _, v := range w.describe(id).Validations {
			if v.IsComplete() && n == 2 {
				w.publishOnce(v)
			}
		}
	}
	w.pass(2 * time.Minute)
	done := w.describe(id)
	if !done.HasCertificate() || done.CertificateNotAfter.Sub(w.clock.Now()) < 100*24*time.Hour ||
		done.TermEnd.Before(done.CertificateNotAfter) {
		w.t.Fatalf("got %+v", done)
	}
	if text, err := w.client.Certificate(w.ctx, done.CertificateID); err != nil || text == "" {
		w.t.Errorf("got %v", err)
	}
	page, err := w.client.List(w.ctx, instance.Query{Keyword: "www"})
	if err != nil || len(page.Items) != 1 || page.Items[0].CertificateID != done.CertificateID ||
		len(page.Items[0].CertificateNames) == 0 {
		w.t.Errorf("got %+v, %v", page, err)
	}
	if err := w.InstanceHarm(); err != nil || len(w.Applications()) != 1 {
		w.t.Errorf("%v, %+v", err, w.Applications())
	}
}

// Publishes a record, unless CAS has added it itself.
func (w *world) publishOnce(v instance.Validation) {
	w.t.Helper()
	for _, r := range w.Records(v.RootDomain) {
		if r.Value == v.Value {
			return
		}
	}
	w.publish(v)
}
