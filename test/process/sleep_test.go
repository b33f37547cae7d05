// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// listing is the call that looks for orders.
const listing = "ListUserCertificateOrder"

// TestALeaderThatSleepsBetweenIntentAndCallNeverBuys stops a leader after it has written intents, and before it has
// sent their calls, as the suspension of its machine does: its timers stand still too. Its successor waits until no
// call can be executed any more, and orders again. Then the old leader wakes, at the worst of moments: it must send
// nothing, and leave alone what its successor has written.
func TestALeaderThatSleepsBetweenIntentAndCallNeverBuys(t *testing.T) {
	s := newScene(t, plan{}, inFlight)
	sleeper := s.candidate()
	sleeper.logs(leads)
	successor := s.candidate()
	s.sees(&v1alpha1.AliyunIssuerList{}, issuerIsReady)
	s.gateway.greetings.hold(0)
	s.approve()
	s.gateway.greetings.holdsAll()
	sleeper.stop()
	s.gateway.greetings.release()
	if n := len(s.inDoubt()); n != inFlight || len(s.bought()) > 0 {
		t.Fatalf("there are %d intents and %v orders, want %d and none", n, s.bought(), inFlight)
	}

	// From now on listings do not show what is bought, and nobody names it.
	s.isBlind = true
	s.Simulator.SteerListing(cassim.Listing{Stale: true})
	s.gateway.answers.hold(0)
	s.giveBack()
	successor.logs(leads)
	s.leap(21 * time.Minute)
	s.drive("all orders are billed", func() bool { return len(s.bought()) == len(s.requests) })
	before := s.inDoubt()
	sleeper.wake()
	if status := sleeper.ends(); status != 1 {
		t.Errorf("the old leader ended with status %d, want 1", status)
	}
	after := s.inDoubt()
	for name, order := range before {
		if now, ok := after[name]; !ok || now.Status.Submission.Attempt != order.Status.Submission.Attempt {
			t.Errorf("the old leader has touched the intent for %s, whose order is billed: %+v", name,
				now.Status.Submission)
		}
	}
	if len(before) != inFlight {
		t.Errorf("the successor had %d orders in doubt, want %d", len(before), inFlight)
	}

	// What the successor knew is lost with it.
	successor.kill()
	s.gateway.answers.release()
	looks := s.Simulator.Calls()[listing]
	s.start()
	s.leap(70 * time.Second)
	s.drive("all doubts are looked into", func() bool { return s.Simulator.Calls()[listing] >= looks+len(before) })
	s.Simulator.SteerListing(cassim.Listing{})
	s.isBlind = false
	s.finish()
	s.verdict()
	t.Logf("a person had to decide %d times", s.words)
}

// TestALeaderThatSleepsWhileCASAnswersNeverBuysAgain stops a leader whose calls are executed, until its lease ends.
// Its successor finds the orders in the listing, and the old leader hears the answers when they are issued.
func TestALeaderThatSleepsWhileCASAnswersNeverBuysAgain(t *testing.T) {
	s := newScene(t, plan{}, 2*inFlight)
	s.gateway.answers.hold(0)
	s.approve()
	sleeper := s.candidate()
	s.gateway.answers.holdsAll()
	sleeper.stop()
	successor := s.candidate()
	if n := len(s.inDoubt()); n < inFlight {
		t.Errorf("%d orders are in doubt, want %d", n, inFlight)
	}
	s.gateway.answers.release()
	successor.logs(leads)
	s.leap(70 * time.Second)
	s.finish()
	sleeper.wake()
	if status := sleeper.ends(); status != 1 {
		t.Errorf("the old leader ended with status %d, want 1", status)
	}
	s.verdict()
	t.Logf("a person had to decide %d times", s.words)
}
