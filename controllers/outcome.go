// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

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
}

type outcomeKind int

const (
	outcomeProceed outcomeKind = iota
	outcomeRest
	outcomeWait
	outcomeStall
	outcomeFail
	outcomeError
)

func proceed() outcome { return outcome{} }

// rest ends the run as if it had not been: it is not time yet. What the status says stays true.
func rest(after time.Duration) outcome { return outcome{kind: outcomeRest, after: after} }

// wait ends the run: all is well, and the next look is due later.
func wait(after time.Duration) outcome { return outcome{kind: outcomeWait, after: after} }

// stall ends the run: a person or another object has to act. A watch wakes the order, or the next look does.
func stall(after time.Duration, reason, message string) outcome {
	return outcome{kind: outcomeStall, after: after, reason: reason, message: message}
}

// fail ends the order: it can never be issued. What was bought is given back before the request is told.
func fail(reason, message string) outcome {
	return outcome{kind: outcomeFail, reason: reason, message: message}
}

// failed ends the run with an error of the API server; the work queue repeats it with back-off.
func failed(err error) outcome { return outcome{kind: outcomeError, err: err} }
