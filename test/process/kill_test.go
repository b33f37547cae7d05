// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	seed = flag.Uint64("seed", 0, "of the moments at which managers are killed; 0 draws one")
	long = flag.Bool("long", false, "kill managers far more often")
)

// TestNothingIsBoughtTwiceHoweverOftenTheManagerIsKilled kills the first manager while it waits for answers, and each
// later one at a random moment of its life. A random time passes until the next one.
func TestNothingIsBoughtTwiceHoweverOftenTheManagerIsKilled(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed=%d", *seed)
	few, many := 3, 20
	if *long {
		few, many = 60, 50
	}
	t.Run("with instances", func(t *testing.T) { killAndKill(t, ofInstances(), few, many) })
	few, many = 7, 50
	if *long {
		few, many = 60, 200
	}
	t.Run("from a plan", func(t *testing.T) { killAndKill(t, plan{}, few, many) })
}

func killAndKill(t *testing.T, from source, kills, requests int) {
	t.Helper()
	random := rand.New(rand.NewPCG(*seed, 0))
	s := newScene(t, from, requests)
	s.from.addForeign(s)
	s.approve()
	begun, doubts := 0, 0
	s.gateway.answers.hold(8)
	for kill := range kills {
		m := s.start()
		if kill == 0 {
			s.gateway.answers.holdsAll()
		} else {
			m.logs("Starting workers")
			time.Sleep(time.Duration(random.Int64N(int64(5 * time.Second)))) // the moment is random, not an event
		}
		m.kill()
		s.gateway.answers.release()
		bought, inDoubt := len(s.bought()), len(s.inDoubt())
		begun, doubts = bought, doubts+inDoubt
		t.Logf("killed with %d orders billed and %d in doubt", bought, inDoubt)
		s.operate()
		s.leap([]time.Duration{0, 10 * time.Second, 70 * time.Second, 21 * time.Minute}[random.IntN(4)])
	}
	if begun == 0 || doubts == 0 {
		t.Errorf("%d orders were begun and %d were in doubt: no manager was killed amid its work", begun, doubts)
	}
	s.start()
	s.finish()
	s.verdict()
	t.Logf("a person had to decide %d times", s.words)
}
