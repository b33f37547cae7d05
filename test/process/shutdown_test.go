// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

func TestMain(m *testing.M) { env.Main(m) }

// submissions is how many requests are approved at once.
const submissions = 50

func TestASIGTERMAmidFiftySubmissionsLosesNoOrderID(t *testing.T) {
	s := newScene(t, submissions)
	s.gateway.answers.hold(20)
	s.approve()
	first := s.start()
	s.gateway.answers.holdsAll()
	first.terminate()
	first.logs("Stopping and waiting for leader election runnables")
	s.gateway.answers.release()
	if status := first.ends(); status != 0 {
		t.Errorf("the manager ended with status %d, want 0", status)
	}
	if doubts, bought := s.inDoubt(), s.bought(); len(doubts) > 0 || len(bought) < 20+inFlight || len(bought) >= submissions {
		t.Errorf("when the manager ended %d orders were billed, and of %d the id was not known", len(bought), len(doubts))
	}

	second := s.start()
	s.finish()
	second.terminate()
	if status := second.ends(); status != 0 {
		t.Errorf("the second manager ended with status %d, want 0", status)
	}
	s.verdict()
}
