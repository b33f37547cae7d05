// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"flag"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
	"github.com/aliyun-issuer/aliyun-issuer/test/provider"
)

var all = flag.Bool("all", false, "every kind of interruption at every point, instead of one kind at each")

func TestMain(m *testing.M) { env.Main(m) }

// TestNothingIsLostWhateverIsInterrupted walks each life once undisturbed, and again for each point that it passed.
func TestNothingIsLostWhateverIsInterrupted(t *testing.T) {
	for name, l := range lives(provider.Serve(t)) {
		for _, isStale := range []bool{false, true} {
			if isStale && l.isFreshOnly && !*all {
				continue
			}
			l.isStale = isStale
			if isStale {
				name += ", with a stale cache"
			}
			t.Run(name, func(t *testing.T) { interrupt(t, l) })
		}
	}
}

func interrupt(t *testing.T, l life) {
	trace := live(t, l, "", "")
	var wanted, killed atomic.Int32
	t.Run("interrupted", func(t *testing.T) {
		for i, point := range trace {
			for _, kind := range kinds(i) {
				wanted.Add(1)
				t.Run(point+", "+string(kind), func(t *testing.T) {
					t.Parallel()
					live(t, l, point, kind)
					killed.Add(1)
				})
			}
		}
	})
	t.Logf("%d points, %d interruptions", len(trace), killed.Load())
	if killed.Load() != wanted.Load() || len(trace) == 0 {
		t.Errorf("%d interruptions happened, want %d", killed.Load(), wanted.Load())
	}
}

// kinds are the interruptions of the i-th point: all of them, or one that differs from that of its neighbours.
func kinds(i int) []env.Interruption {
	if *all {
		return env.Interruptions
	}
	return env.Interruptions[i%len(env.Interruptions):][:1]
}

// live walks a life, with an interruption at a point if one is named, and returns all points that were passed.
func live(t *testing.T, l life, point string, kind env.Interruption) []string {
	t.Helper()
	at, from := byAlidns, ofPlan()
	if l.at != nil {
		at = l.at
	}
	if l.from != nil {
		from = l.from()
	}
	from.options(&l.options)
	p := at(t, &l.options)
	e := env.New(t, l.options)
	p.open(e)
	from.open(e)
	e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(), p.issuer, func(i *v1alpha1.AliyunIssuer) {
		from.Issuer(&i.Spec)
		if l.issuer != nil {
			l.issuer(i)
		}
	}))
	before, others := p.state(e), from.others(e)
	e.Settle()
	if l.isStale {
		e.Lag()
	}
	l.prepare(e)
	e.Points.Trace(point, kind)
	e.Until(48*time.Hour, func() bool {
		p.user(e)
		if l.user != nil {
			l.user(e, from)
		}
		return l.isOver(e)
	})
	e.Pass(15 * time.Minute)
	p.user(e)
	trace := e.Points.Seen()
	if point != "" && !e.Points.Hit() {
		t.Fatalf("the point was not passed; these were: %q", trace)
	}
	account(e, l, from)
	if diff := cmp.Diff(before, p.state(e)); diff != "" {
		t.Errorf("something was left behind, or lost (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(others, from.others(e)); diff != "" {
		t.Errorf("something of others was changed (-want +got):\n%s", diff)
	}
	from.again(e)
	return trace
}

// account looks at what was paid for, and at what was told of it.
func account(e *env.Env, l life, from source) {
	e.T.Helper()
	all, left := from.Purchases(e.Simulator), kept(e, from)
	if len(left) != l.billed {
		e.T.Errorf("%d orders are paid for and kept, want %d: %+v", len(left), l.billed, all)
	}
	// Of a plan, nobody can prove at the end that a submission without an answer has bought nothing.
	isReported, want := strings.Contains(e.Logs(), "an order could not be given back"),
		l.isReported || len(all) == 0 && !from.isSure()
	if isReported != want {
		e.T.Errorf("what could not be given back is reported: %t, want %t", isReported, want)
	}
	if err := from.Harm(e.Simulator); err != nil {
		e.T.Error(err)
	}
}
