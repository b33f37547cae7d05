// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

func TestWhatCASAsksForIsTakenDownOnce(t *testing.T) {
	order := &v1alpha1.AliyunOrder{}
	order.Spec.CommonName = "*.shop.example.com"
	run := &orderRun{order: order, now: noon}
	at := func(d time.Duration) *metav1.Time { stamp := metav1.NewTime(noon.Add(d)); return &stamp }

	run.takeDown(&cas.Order{State: cas.StateDomainVerify})
	want := v1alpha1.OrderStatus{CASState: "domain_verify", CASStateSince: at(0)}
	wantSame(t, order.Status, want)

	run.now = noon.Add(time.Minute)
	run.takeDown(&cas.Order{State: cas.StateDomainVerify, Record: &cas.Record{Domain: "_dnsauth.shop", Type: "TXT", Value: "v1"}})
	want.Validation = &v1alpha1.OrderValidation{Domain: "shop.example.com", RecordName: "_dnsauth.shop", RecordType: "TXT", RecordValue: "v1"}
	wantSame(t, order.Status, want) // and the state is as old as before

	run.now = noon.Add(time.Hour)
	run.takeDown(&cas.Order{State: cas.StateCertificate, CertID: "6055048", Record: &cas.Record{Domain: "_other", Type: "CNAME", Value: "v2"}})
	want.CASState, want.CASStateSince, want.CertificateID = "certificate", at(time.Hour), "6055048"
	wantSame(t, order.Status, want)

	run.takeDown(&cas.Order{State: cas.StateCertificate}) // older replies have no id
	wantSame(t, order.Status, want)
}

func TestWhatCASSaysTakesBoundedRoom(t *testing.T) {
	order := &v1alpha1.AliyunOrder{}
	long := strings.Repeat("x", 2000)
	(&orderRun{order: order, now: noon}).takeDown(&cas.Order{State: cas.State(long), CertID: long, Record: &cas.Record{Domain: long, Type: long, Value: long}})
	status := order.Status
	got := []int{
		len(status.CASState), len(status.CertificateID),
		len(status.Validation.RecordName), len(status.Validation.RecordType), len(status.Validation.RecordValue),
	}
	wantSame(t, got, []int{64, 64, 255, 16, 1024})
}

func TestNoCharacterIsCutInHalf(t *testing.T) {
	for limit, want := range map[int]string{0: "", 1: "a", 2: "a", 3: "a", 4: "a证", 6: "a证", 7: "a证书", 99: "a证书"} {
		wantSame(t, bounded("a证书", limit), want)
	}
}

func TestEachStateOfCASHasItsOutcome(t *testing.T) {
	order := &v1alpha1.AliyunOrder{}
	order.Spec.CommonName, order.Status.OrderID = "www.example.com", "98987582437920968"
	since := metav1.NewTime(noon.Add(-endedAfter))
	order.Status.CASStateSince = &since
	tests := map[cas.State]outcome{
		cas.StateDomainVerify: proceed(),
		cas.StateCertificate:  proceed(),
		cas.StateProcess:      wait(time.Minute),
		"unknow":              wait(time.Minute),
		"":                    wait(time.Minute),
		"a new one":           wait(time.Minute),
		cas.StatePayed:        fail("Withdrawn", `CAS order 98987582437920968 for "www.example.com" was withdrawn at CAS by somebody else`),
		cas.StateVerifyFail: fail("VerificationFailed", `the CA refused CAS order 98987582437920968 for "www.example.com"; CAS does not say why. `+
			"Look at the order in the console of CAS, at CAA records of the domain, and at the validation record"),
	}
	for state, want := range tests {
		if got := read(&orderRun{order: order, now: noon, described: &cas.Order{State: state}}, time.Minute); got != want {
			t.Errorf("%q: got %+v, want %+v", state, got, want)
		}
	}
}

func TestNoStateThatEndsAnOrderIsBelievedAtOnce(t *testing.T) {
	for _, state := range []cas.State{cas.StatePayed, cas.StateVerifyFail} {
		run := &orderRun{order: &v1alpha1.AliyunOrder{}, now: noon, described: &cas.Order{State: state}}
		run.takeDown(run.described)
		for _, at := range []time.Duration{0, time.Minute, endedAfter - 1} {
			run.now = noon.Add(at)
			if got := read(run, time.Minute); got != wait(time.Minute) {
				t.Errorf("%q after %s: got %+v", state, at, got)
			}
		}
		run.now = noon.Add(endedAfter - 1)
		run.takeDown(&cas.Order{State: cas.StateDomainVerify}) // that is not what it was
		run.takeDown(run.described)
		run.now = noon.Add(endedAfter)
		if got := read(run, time.Hour); got != wait(endedAfter) {
			t.Errorf("%q after it was contradicted: got %+v", state, got)
		}
		run.now = noon.Add(2 * endedAfter)
		wantSame(t, read(run, time.Minute).kind, outcomeFail)
	}
}
