// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"fmt"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// validating says how far the proof of control is.
func validating(run *orderRun) summary {
	status, validation := run.order.Status, run.order.Status.Validation
	sum := summary{v1alpha1.OrderStateValidating, v1alpha1.ReasonValidating, ""}
	switch {
	case validation == nil:
		sum.message = fmt.Sprintf("CAS order %s is made, and CAS has not named its validation %s yet", status.OrderID,
			proofKind(run.order))
		return sum
	case run.order.Spec.Solver.IsNone():
		sum.message = fmt.Sprintf("CAS order %s waits for CAS to see that %q is pre-authorised: if it is not, use a "+
			"solver that publishes the %s record %q, and %s",
			status.OrderID, validation.Domain, validation.RecordType, validation.RecordName, handsOver)
	case validation.VisibleAt != nil:
		sum.message = fmt.Sprintf("CAS order %s waits for the CA to look for %s, which is visible", status.OrderID,
			proof(run.order))
		return sum
	case run.order.Spec.Solver.IsManual():
		sum.reason = v1alpha1.ReasonAwaitingDNSRecord
		if run.order.Spec.Solver.IsFile() {
			sum.reason = v1alpha1.ReasonAwaitingFile
		}
		sum.message = fmt.Sprintf("%s; that it is there is noticed without further action", orders.ToPublish(run.order))
	case validation.PresentedAt != nil:
		sum.message = fmt.Sprintf("CAS order %s waits for %s, which is published and not visible yet", status.OrderID,
			proof(run.order))
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
	return sum
}

// proof names what the CA looks for.
func proof(order *v1alpha1.AliyunOrder) string {
	v := order.Status.Validation
	if v.RecordType == dcv.TypeFile {
		return "the file " + orders.Address(v)
	}
	return fmt.Sprintf("the %s record %q", v.RecordType, v.FQDN)
}

func proofKind(order *v1alpha1.AliyunOrder) string {
	if order.Spec.Solver.IsFile() {
		return "file"
	}
	return "record"
}
