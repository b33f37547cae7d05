// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// pending is an application that the CA works on, for two hours to come.
func pending(t *testing.T, knobs cassim.InstanceKnobs) (e *env.Env, id string) {
	t.Helper()
	e, id = applied(t, cassim.Options{DCVDelay: 2 * time.Hour, Knobs: cassim.Knobs{InstanceKnobs: knobs}})
	e.Until(time.Hour, func() bool {
		order := orderOf(e, "www")
		return order != nil && order.Status.Progress == v1alpha1.PhaseAwaitingValidation
	})
	return e, id
}

// TestWhatTheCASaysReachesWhoeverAsked has the CA refuse an application in words, in each way in which CAS may pass
// them on, and closes an instance under one.
func TestWhatTheCASaysReachesWhoeverAsked(t *testing.T) {
	const words = "the CAA record forbids it"
	for name, test := range map[string]struct {
		knobs cassim.InstanceKnobs
		end   func(e *env.Env, id string)
		want  []string
	}{
		"the result": {end: func(e *env.Env, id string) { e.Simulator.FailApplication(id, words) },
			want: []string{words}},
		"the message of the submission alone": {knobs: cassim.InstanceKnobs{FailedResult: cassim.ResultIsWord},
			end:  func(e *env.Env, id string) { e.Simulator.FailApplication(id, words) },
			want: []string{words, `"failed"`}},
		"the message of the submission may not be read": {end: func(e *env.Env, id string) {
			e.Simulator.FailApplication(id, words)
			e.Simulator.DenyAction(cassim.DefaultKeyID, "GetTaskAttribute")
		}, want: []string{words}},
		"the instance stays pending": {knobs: cassim.InstanceKnobs{AfterFailedReview: cassim.InstancePending},
			end: func(e *env.Env, id string) { e.Simulator.FailApplication(id, words) }, want: []string{words}},
		"the instance is closed": {end: func(e *env.Env, id string) { e.Simulator.SetInstanceStatus(id, "closed") },
			want: []string{`"closed"`}},
	} {
		t.Run(name, func(t *testing.T) {
			e, id := pending(t, test.knobs)
			test.end(e, id)
			e.Until(96*time.Hour, func() bool {
				return cmutil.CertificateRequestReadyReason(e.Request("www")) == cmapi.CertificateRequestReasonFailed
			})
			ready := cmutil.GetCertificateRequestCondition(e.Request("www"), cmapi.CertificateRequestConditionReady)
			for _, want := range test.want {
				if n := strings.Count(ready.Message, want); n != 1 {
					t.Errorf("%q is told %d times: %s", want, n, ready.Message)
				}
			}
		})
	}
}

// TestWhatOthersChangeIsToldAndHarmsNothing lets a person change an instance in the console while it is applied with.
func TestWhatOthersChangeIsToldAndHarmsNothing(t *testing.T) {
	e, id := pending(t, cassim.InstanceKnobs{})
	changed := func() string {
		if c := meta.FindStatusCondition(
			onlyOrder(t, e).Status.Conditions, v1alpha1.ConditionChangedElsewhere); c != nil {
			return c.Message
		}
		return ""
	}
	if message := changed(); message != "" {
		t.Fatalf("nothing has happened, and it is told: %s", message)
	}
	e.Simulator.SetHosting(id, true)
	e.Simulator.TagInConsole(id, map[string]string{"team": "theirs"})
	e.Simulator.UpgradeInstance(id, 0, 1)
	const nextLook = 30 * time.Minute // an application that is older is looked at more rarely
	e.Until(nextLook, func() bool { return changed() != "" })
	for _, want := range []string{"hosting is switched on", "its tags are replaced", "upgrade", "fewer names"} {
		if message := changed(); !strings.Contains(message, want) {
			t.Errorf("%q is not told: %s", want, message)
		}
	}
	if n := strings.Count(said(e), "was changed by somebody else"); n != 1 {
		t.Errorf("it is told %d times: %s", n, said(e))
	}
	// The message says to switch hosting off.
	e.Simulator.SetHosting(id, false)
	e.Until(nextLook, func() bool { return !strings.Contains(changed(), "hosting") })
	e.Until(3*time.Hour, isReady(e))
	wantApplications(e, "issued")
}

// TestACertificateThatEndsWithItsInstanceIsTold has CAS cut a certificate at the end of the term.
func TestACertificateThatEndsWithItsInstanceIsTold(t *testing.T) {
	for validity, isTold := range map[string]bool{cassim.ValidityFull: false, cassim.ValidityCut: true} {
		t.Run(validity, func(t *testing.T) {
			options := cassim.Options{}
			options.Knobs.NextValidity = validity
			e, ids := withInstances(t, options, 2)
			ask(e, "www", "www")
			e.Until(time.Hour, isReady(e))
			first := onlyOrder(t, e).Status
			e.Clock.SetTime(first.NotAfter.Add(-20 * day))
			ask(e, "renewal", "www")
			e.Until(3*time.Hour, isIssued(e, "renewal"))
			second := orderOf(e, "renewal").Status
			message := cmutil.GetCertificateRequestCondition(
				e.Request("renewal"), cmapi.CertificateRequestConditionReady).Message
			says := strings.Contains(message, "until what it was ordered from ends")
			if second.OrderID != first.OrderID || says != isTold {
				t.Errorf("renewed with %s: %s", second.OrderID, message)
			}
			if !isTold {
				return
			}
			// The message says that something else has to be there by then.
			e.Clock.SetTime(second.NotAfter.Add(-20 * day))
			ask(e, "next", "www")
			e.Until(3*time.Hour, isIssued(e, "next"))
			if next := orderOf(e, "next").Status; next.OrderID != ids[1] {
				t.Errorf("the next one is of %s", next.OrderID)
			}
		})
	}
}
