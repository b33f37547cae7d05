// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

var (
	seeds = flag.Int("seeds", 3, "how many sequences of each source are tried, from seed 1 on")
	from  = flag.Uint64("from", 1, "begin with this seed instead")
	steps = flag.Int("steps", 40, "how many actions a sequence has")
	seed  = flag.Uint64("seed", 0, "try this seed alone")
	of    = flag.String("source", "", "try sequences of this source alone: plan or instance")
)

func TestMain(m *testing.M) { env.Main(m) }

// TestMoneyIsSafeWhateverHappens lets users, operators, Alibaba Cloud and crashes do as a seed says, mends all that is
// broken, and looks whether everything came to its right end: see promises.
//
// A seed decides on the actions and on all that the simulator does. It does not decide on UIDs, on keys, and on the
// jitter of the controller's waits, so that a failure that hangs on one of these may take some runs to come again.
func TestMoneyIsSafeWhateverHappens(t *testing.T) {
	first, last := *from, *from+uint64(*seeds)-1
	if *seed != 0 {
		first, last = *seed, *seed
	}
	for name := range sources {
		if *of != "" && *of != name {
			continue
		}
		for s := first; s <= last; s++ {
			t.Run(fmt.Sprintf("%s, seed %d", name, s), func(t *testing.T) {
				t.Parallel()
				try(t, newWorld(t, name, s))
			})
		}
	}
}

// try lives the life of a world, and tells what has happened in it if that was wrong.
func try(t *testing.T, w *world) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("go test ./test/model -source %s -seed %d -steps %d did this:\n%s", w.of, w.seed, *steps,
				strings.Join(w.did, "\n"))
		}
		w.sweep()
	}()
	for _, do := range []func(){func() { w.live(*steps) }, w.heal, w.checkPromises, w.again} {
		if !t.Failed() {
			do()
		}
	}
}
