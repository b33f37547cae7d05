// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func TestWhatCASAsksForIsTakenDownOnce(t *testing.T) {
	order := &v1alpha1.AliyunOrder{}
	order.Spec.CommonName = "*.shop.example.com"
	run := &orderRun{order: order, now: noon}
	at := func(d time.Duration) *metav1.Time { stamp := metav1.NewTime(noon.Add(d)); return &stamp }

	run.takeDown(&source.Observation{Phase: v1alpha1.PhaseAwaitingValidation, Word: "domain_verify"})
	want := v1alpha1.OrderStatus{Progress: v1alpha1.PhaseAwaitingValidation, CASState: "domain_verify",
		CASStateSince: at(0)}
	compare.Same(t, order.Status, want)

	run.now = noon.Add(time.Minute)
	want.Validations = []v1alpha1.OrderValidation{{Domain: "shop.example.com", RecordName: "_dnsauth.shop",
		RecordType: "TXT", RecordValue: "v1"}}
	run.takeDown(&source.Observation{Phase: v1alpha1.PhaseAwaitingValidation, Word: "domain_verify",
		Validations: want.Validations})
	compare.Same(t, order.Status, want) // the state has not changed, so CASStateSince stays

	run.now = noon.Add(time.Hour)
	run.takeDown(&source.Observation{Phase: v1alpha1.PhaseIssued, Word: "certificate",
		Stored:      source.Stored{ID: "6055048", Identifier: "6055048-cn-hangzhou"},
		Validations: []v1alpha1.OrderValidation{{RecordName: "_other", RecordType: "CNAME", RecordValue: "v2"}}})
	want.Progress, want.CASState, want.CASStateSince = v1alpha1.PhaseIssued, "certificate", at(time.Hour)
	want.CertificateID, want.CertIdentifier = "6055048", "6055048-cn-hangzhou"
	compare.Same(t, order.Status, want)

	run.takeDown(&source.Observation{Phase: v1alpha1.PhaseIssued, Word: "certificate"}) // older replies have no id
	compare.Same(t, order.Status, want)
}

func TestEachPhaseHasItsOutcome(t *testing.T) {
	order := &v1alpha1.AliyunOrder{}
	order.Spec.CommonName, order.Status.OrderID = "www.example.com", "98987582437920968"
	since := metav1.NewTime(noon.Add(-endedAfter))
	order.Status.CASStateSince = &since
	tests := map[v1alpha1.OrderPhase]outcome{
		v1alpha1.PhaseAwaitingValidation: proceed(),
		v1alpha1.PhaseIssued:             proceed(),
		v1alpha1.PhaseInReview:           wait(time.Minute),
		v1alpha1.PhaseUnknown:            wait(time.Minute),
		v1alpha1.PhaseOther:              wait(time.Minute),
		v1alpha1.PhaseWithdrawnElsewhere: giveUp("Withdrawn", `CAS order 98987582437920968 for "www.example.com" was withdrawn `+
			`at CAS by somebody else`),
		v1alpha1.PhaseRefused: giveUp("VerificationFailed", `the CA refused CAS order 98987582437920968 for `+
			`"www.example.com"; CAS does not say why. `+
			"Look at CAA records of the domain, or ask the support of Alibaba Cloud what the CA says"),
	}
	for phase, want := range tests {
		run := runOf(order, noon)
		run.seen = &source.Observation{Phase: phase}
		if got := read(run, time.Minute); got != want {
			t.Errorf("%q: got %+v, want %+v", phase, got, want)
		}
	}
}

func TestNoStateThatEndsAnOrderIsBelievedAtOnce(t *testing.T) {
	for _, phase := range []v1alpha1.OrderPhase{v1alpha1.PhaseWithdrawnElsewhere, v1alpha1.PhaseRefused} {
		run := runOf(&v1alpha1.AliyunOrder{}, noon)
		run.seen = &source.Observation{Phase: phase}
		run.takeDown(run.seen)
		for _, at := range []time.Duration{0, time.Minute, endedAfter - 1} {
			run.now = noon.Add(at)
			if got := read(run, time.Minute); got != wait(time.Minute) {
				t.Errorf("%q after %s: got %+v", phase, at, got)
			}
		}
		run.now = noon.Add(endedAfter - 1)
		// CAS contradicts itself for a moment: the patience begins anew.
		run.takeDown(&source.Observation{Phase: v1alpha1.PhaseAwaitingValidation, Word: "domain_verify"})
		run.takeDown(run.seen)
		run.now = noon.Add(endedAfter)
		if got := read(run, time.Hour); got != wait(endedAfter) {
			t.Errorf("%q after it was contradicted: got %+v", phase, got)
		}
		run.now = noon.Add(2 * endedAfter)
		compare.Same(t, read(run, time.Minute).kind, outcomeGiveUp)
	}
}
