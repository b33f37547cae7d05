// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

func TestMain(m *testing.M) { env.Main(m) }

// submissions is how many requests are approved at once.
const submissions = 50

func TestASIGTERMAmidFiftySubmissionsLosesNoOrderID(t *testing.T) {
	s := newScene(t, plan{}, submissions)
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
	if doubts, bought := s.inDoubt(), s.bought(); len(doubts) > 0 || len(bought) < 20+inFlight ||
		len(bought) >= submissions {
		t.Errorf("when the manager ended %d orders were billed, and of %d the id was not known", len(bought),
			len(doubts))
	}

	second := s.start()
	s.finish()
	second.terminate()
	if status := second.ends(); status != 0 {
		t.Errorf("the second manager ended with status %d, want 0", status)
	}
	endedInPeace(t, first)
	endedInPeace(t, second)
	s.verdict()
}

// endedInPeace reads the log of a manager that was asked to end: it has neither an error, for nothing went wrong, nor a
// stack.
func endedInPeace(t *testing.T, m *manager) {
	t.Helper()
	_, end, found := strings.Cut(m.Log(), "Stopping and waiting for")
	if !found {
		t.Error("the manager does not say that it ends")
	}
	for line := range strings.Lines(end) {
		if strings.Contains(line, `"level":"error"`) || strings.Contains(line, "stacktrace") ||
			strings.Contains(line, "goroutine ") {
			t.Errorf("when the manager was asked to end, it said %s", line)
		}
	}
}
