// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// overdue ends an order whose phase has taken too long.
func overdue(run *orderRun) outcome {
	end, waitsFor := deadline(run)
	if end.IsZero() || run.now.Before(end) {
		return proceed()
	}
	return giveUp(v1alpha1.ReasonDeadlineExceeded, fmt.Sprintf(
		"CAS order %s for %q still waited for %s at its deadline, %s. %s%s", run.order.Status.OrderID,
		run.order.Spec.CommonName, waitsFor, end.UTC().Format(time.RFC3339), remedy(run), run.told()))
}

// Tells what helps the next order to be in time.
func remedy(run *orderRun) string {
	validations := run.order.Status.Validations
	what, seen := "record", "seen in DNS"
	if run.order.Spec.IsFile() {
		what, seen = "file", "fetched"
	}
	switch {
	case run.order.Status.Progress != v1alpha1.PhaseAwaitingValidation:
		return "Ask the support of Alibaba Cloud what the CA waits for"
	case len(validations) == 0:
		return fmt.Sprintf(
			"CAS never named its validation %s: ask the support of Alibaba Cloud about the order", what)
	case len(orders.Invisible(validations)) > 0 && orders.SolverOf(run.order, foremost(run.order)).IsNone():
		return "CAS does not take its domain for pre-authorised: see to that at CAS, or use a solver that publishes " +
			"the validation record"
	case len(orders.Invisible(validations)) == 0:
		return fmt.Sprintf("Its validation %s could be %s: ask the support of Alibaba Cloud why the CA did not", what,
			seen)
	case run.timeout() < defaultTimeout:
		return fmt.Sprintf("Its validation %s could not be %s: publish that of the next order, or give it more time "+
			"in spec.orders.timeout of the issuer", what, seen)
	default: // more time would be of no use
		return fmt.Sprintf("Its validation %s could not be %s: publish that of the next order sooner, for some brands "+
			"take one for 24 hours only", what, seen)
	}
}

// Returns how long the domain of the order may take to be validated.
func (run *orderRun) timeout() time.Duration {
	if run.order.Spec.Timeout == nil {
		return defaultTimeout
	}
	return run.order.Spec.Timeout.Duration
}

// Returns when the present phase of an order at CAS ends, and what it waits for. The time is zero if the phase has no
// end of its own.
func deadline(run *orderRun) (end time.Time, waitsFor string) {
	status := run.order.Status
	switch status.Progress {
	case v1alpha1.PhaseIssued:
		return time.Time{}, ""
	case v1alpha1.PhaseAwaitingValidation, "":
		if status.SubmittedAt == nil {
			return time.Time{}, ""
		}
		return status.SubmittedAt.Add(run.timeout()), "the validation of its domain"
	default:
		return status.CASStateSince.Add(reviewTimeout), "the CA"
	}
}
