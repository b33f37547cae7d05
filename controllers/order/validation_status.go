// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"fmt"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// validating says how far the proof of control is.
func validating(run *orderRun) summary {
	status := run.order.Status
	sum := summary{v1alpha1.OrderStateValidating, v1alpha1.ReasonValidating, ""}
	if len(status.Validations) == 0 {
		sum.message = fmt.Sprintf("CAS order %s is made, and CAS has not named its validation %s yet", status.OrderID,
			proofKind(run.order))
		return sum
	}
	validation := foremost(run.order)
	solver := orders.SolverOf(run.order, validation)
	switch {
	case validation.VisibleAt == nil && solver.IsNone():
		sum.message = fmt.Sprintf("CAS order %s waits for CAS to see that %q is pre-authorised: if it is not, use a "+
			"solver that publishes the %s record %q, and %s",
			status.OrderID, validation.Domain, validation.RecordType, validation.RecordName, handsOver)
	case validation.VisibleAt != nil && len(status.Validations) > 1:
		sum.message = fmt.Sprintf("CAS order %s waits for the CA, and its %d validation %ss are visible",
			status.OrderID, len(status.Validations), proofKind(run.order))
		return sum
	case validation.VisibleAt != nil:
		sum.message = fmt.Sprintf("CAS order %s waits for the CA to look for %s, which is visible", status.OrderID,
			proof(validation))
		return sum
	case solver.IsManual():
		sum.reason = v1alpha1.ReasonAwaitingDNSRecord
		if solver.IsFile() {
			sum.reason = v1alpha1.ReasonAwaitingFile
		}
		sum.message = fmt.Sprintf("%s; that it is there is noticed without further action", orders.ToPublish(run.order))
	case validation.PresentedAt != nil:
		sum.message = fmt.Sprintf("CAS order %s waits for %s, which is published and not visible yet", status.OrderID,
			proof(validation))
	default:
		sum.message = fmt.Sprintf("CAS order %s waits for its validation %s, which is not published yet",
			status.OrderID, proofKind(run.order))
	}
	switch {
	case run.note != "":
		sum.message += "; " + run.note
	case len(validation.Seen) > 0:
		sum.message += "; seen there instead: " + strings.Join(validation.Seen, ", ")
	}
	if len(status.Validations) > 1 {
		sum.message += fmt.Sprintf("; %s are visible", countVisible(status.Validations))
	}
	return sum
}
