// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
)

// exhaustedTry is how long the others wait for the order that tries an exhausted supply, before the next one tries.
const exhaustedTry = time.Minute

// Holds an order for reasons that have nothing to do with its own request, and that cost no call to Alibaba Cloud to
// find out.
func (r *buying) checkSpending(ctx context.Context, run *orderRun) outcome {
	if end := holdIfPaused(run.issuer); end.endsRun() {
		return end
	}
	if end := r.checkBudget(ctx, run); end.endsRun() {
		return end
	}
	if end := r.zones.stillHolds(run); end.endsRun() {
		return end
	}
	return r.spent.takeTry(run)
}

func holdIfPaused(issuer v1alpha1.GenericIssuer) outcome {
	if issuer.GetSpec().IsPaused() {
		return hold(0, v1alpha1.ReasonPaused, fmt.Sprintf(
			"the %s %q has spec.orders.paused: nothing is ordered until it is removed", issuer.IssuerKind(),
			issuer.GetName()))
	}
	return proceed()
}

// spending remembers which supplies are exhausted. It need not survive a restart: the next refusal fills it again.
type spending struct {
	mutex     sync.Mutex
	exhausted map[string]exhaustion // by supply
}

// exhaustion is since when a supply is known to be exhausted, and until when CAS is not asked again.
type exhaustion struct{ since, until time.Time }

// try is the right of an order to find out whether an exhausted supply has got certificates again.
type try struct {
	supply      string
	before, now exhaustion
}

// Lets one order at a time find out whether an exhausted supply has got certificates again, and holds the others: at
// once if the numbers that the issuer has read since say so, or else after a while.
func (s *spending) takeTry(run *orderRun) outcome {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	known, isKnown := s.exhausted[run.supply()]
	if !isKnown {
		return proceed()
	}
	product := run.offer.Product()
	supply := run.issuer.GetStatus().Supply
	isRefilled := issuers.Free(run.issuer) > 0 && supply.Product == product &&
		supply.ObservedAt.After(known.since)
	if left := known.until.Sub(run.now); left > 0 && !isRefilled {
		return hold(left, v1alpha1.ReasonQuotaExhausted, fmt.Sprintf(
			"%s. CAS is asked again at about %s", run.offer.Words().Exhausted, known.until.UTC().Format(time.RFC3339)))
	}
	run.try = &try{supply: run.supply(), before: known,
		now: exhaustion{since: run.now, until: run.now.Add(exhaustedTry)}}
	s.exhausted[run.try.supply] = run.try.now
	return proceed()
}

// giveBack leaves the try to another order if this one has not used it, because something else holds this one.
// Otherwise this one could keep the try for ever from the very order that it waits for.
func (s *spending) giveBack(run *orderRun) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if run.try != nil && s.exhausted[run.try.supply] == run.try.now {
		s.exhausted[run.try.supply] = run.try.before
	}
	run.try = nil
}

// Returns a name for what the order is bought from: issuers of one account that order the same product share it.
func (run *orderRun) supply() string {
	return book.AccountOfIssuer(run.issuer).Key() + " " + run.offer.Product()
}

// Notes whether a supply turned out to be exhausted. If so, returns how long nobody asks CAS again.
func (s *spending) noteTry(supply string, isExhausted bool, now time.Time) time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !isExhausted {
		delete(s.exhausted, supply)
		return 0
	}
	if s.exhausted == nil {
		s.exhausted = map[string]exhaustion{}
	}
	pause := jitter(holdLongest)
	s.exhausted[supply] = exhaustion{since: now, until: now.Add(pause)}
	return pause
}
