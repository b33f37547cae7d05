// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"time"
)

// A phase does its part of a run, and says how the run goes on.
type phase func(ctx context.Context, run *orderRun) outcome

// outcome is how a phase ends. The zero value goes on to the next phase.
type outcome struct {
	kind    outcomeKind
	after   time.Duration
	reason  string
	message string
	err     error
	// isThrottled says that the order waits because CAS takes no more calls for now.
	isThrottled bool
}

type outcomeKind int

const (
	outcomeProceed outcomeKind = iota
	outcomeNotYet
	outcomeWait
	outcomeHold
	outcomeGiveUp
	outcomeError
)

// Says whether no further phase follows.
func (o outcome) endsRun() bool { return o.kind != outcomeProceed }

func proceed() outcome { return outcome{} }

// Ends the run without a write, because it is not time yet: what the status says is still true.
func notYet(after time.Duration) outcome { return outcome{kind: outcomeNotYet, after: after} }

// wait ends the run: all is well, and the next look is due later.
func wait(after time.Duration) outcome { return outcome{kind: outcomeWait, after: after} }

// Ends the run: all is well, and CAS has to take calls again first.
func throttled(after time.Duration) outcome {
	return outcome{kind: outcomeWait, after: after, isThrottled: true}
}

// Ends the run: a person or another object has to act. The order goes on when a watch wakes it, or at the next look.
func hold(after time.Duration, reason, message string) outcome {
	return outcome{kind: outcomeHold, after: after, reason: reason, message: message}
}

// giveUp ends the order: it can never be issued. What was bought is given back before the request is told.
func giveUp(reason, message string) outcome {
	return outcome{kind: outcomeGiveUp, reason: reason, message: message}
}

// apiError ends the run with an error of the API server; the work queue repeats it with back-off.
func apiError(err error) outcome { return outcome{kind: outcomeError, err: err} }
