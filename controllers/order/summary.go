// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// summary is what people read first.
type summary struct {
	state   v1alpha1.OrderState
	reason  string
	message string
}

// summarize says from the facts alone how far the order is.
func summarize(run *orderRun) summary {
	status := run.order.Status
	switch {
	case len(status.Certificate) > 0 && status.ReusedOrderID != "":
		return summary{v1alpha1.OrderStateIssued, v1alpha1.ReasonReused, orders.IssuedBy(status)}
	case len(status.Certificate) > 0:
		return summary{v1alpha1.OrderStateIssued, v1alpha1.ReasonIssued, orders.IssuedBy(status)}
	case status.Release != nil:
		return released(run)
	case status.OrderID == "" && status.Submission != nil:
		return submitting(status.Submission, run.offer.Words(), run.now)
	case status.OrderID == "":
		return summary{v1alpha1.OrderStatePending, v1alpha1.ReasonPending, "the order is not submitted yet"}
	}
	switch status.Progress {
	case v1alpha1.PhaseAwaitingValidation, "":
		return validating(run)
	case v1alpha1.PhaseWithdrawnElsewhere, v1alpha1.PhaseRefused:
		return summary{v1alpha1.OrderStateReviewing, v1alpha1.ReasonUnknownState, fmt.Sprintf(
			"CAS gives the state of order %s as %q, which ends it: that is believed if CAS still says so at %s",
			status.OrderID, status.CASState, status.CASStateSince.Add(endedAfter).UTC().Format(time.RFC3339))}
	case v1alpha1.PhaseIssued:
		return summary{v1alpha1.OrderStateReviewing, v1alpha1.ReasonReviewing,
			fmt.Sprintf("CAS order %s is issued, and CAS gives no certificate yet that can be used: it is asked "+
				"again within minutes", status.OrderID)}
	case v1alpha1.PhaseInReview:
		return summary{v1alpha1.OrderStateReviewing, v1alpha1.ReasonReviewing,
			fmt.Sprintf("CAS order %s is validated, and the CA works on it", status.OrderID)}
	default:
		return summary{v1alpha1.OrderStateReviewing, v1alpha1.ReasonUnknownState,
			fmt.Sprintf("CAS gives the state of order %s as %q, which says nothing about it: it is asked again",
				status.OrderID, status.CASState)}
	}
}

func submitting(submission *v1alpha1.OrderSubmission, words source.Words, now time.Time) summary {
	sum := summary{v1alpha1.OrderStateSubmitting, v1alpha1.ReasonPending, "CAS is asked for the order"}
	if now.Sub(submission.StartedAt.Time) >= inDoubt || submission.Attempt >= source.MaxAttempts {
		sum.message = fmt.Sprintf("CAS was asked for the order at %s, and %s: %s, and submitted again only once it "+
			"is certain that none was made", submission.StartedAt.UTC().Format(time.RFC3339),
			orders.Unclear(submission), words.Search)
	}
	return sum
}

// released says how an order went back, cause first.
func released(run *orderRun) summary {
	order, release := run.order, run.order.Status.Release
	sum := summary{v1alpha1.OrderStateFailed, release.Reason, release.Message}
	switch release.Outcome {
	case "":
		sum.state = v1alpha1.OrderStateReleasing
		if order.Status.OrderID == "" {
			sum.message += "; what was ordered is looked for, to give it back"
		} else {
			sum.message += fmt.Sprintf("; CAS order %s is being given back", order.Status.OrderID)
		}
		if run.note != "" {
			sum.message += ": " + run.note
		}
	case v1alpha1.Released:
		sum.message += fmt.Sprintf("; CAS order %s %s", order.Status.OrderID, run.offer.Words().GivenBack)
	case v1alpha1.NothingToRelease:
		if order.Status.OrderID == "" {
			sum.message += "; nothing was bought"
		} else {
			sum.message += fmt.Sprintf("; CAS order %s is gone or issued, and nothing can be given back",
				order.Status.OrderID)
		}
	case v1alpha1.Kept:
		sum.message += fmt.Sprintf("; CAS order %s is left at CAS, as spec.orders.onDelete of the issuer says",
			order.Status.OrderID)
	case v1alpha1.Unresolved:
		sum.message += "; " + unresolved(order, run.offer)
	}
	return sum
}

// unresolved tells a person what is left to do. Nobody is told to cancel what may be somebody else's.
func unresolved(order *v1alpha1.AliyunOrder, offer source.Offer) string {
	undo := offer.Words().Undo
	switch name := order.Spec.CommonName; {
	case order.Status.OrderID == "":
		return fmt.Sprintf("an order for %q may have been bought at %s and could not be given back. Look in the "+
			"console of CAS for an order for this name of that time%s, and %s there if there is one",
			name, order.Status.Submission.StartedAt.UTC().Format(time.RFC3339), offer.Tag(order), undo)
	case order.Status.IsPresumed():
		return fmt.Sprintf("CAS order %s for %q is only presumed to be this one's, and was not given back. Look at "+
			"it in the console of CAS, and %s there if it is this one's%s", order.Status.OrderID, name, undo,
			offer.Tag(order))
	default:
		return fmt.Sprintf("CAS order %s for %q could not be given back: %s in the console of CAS",
			order.Status.OrderID, name, undo)
	}
}
