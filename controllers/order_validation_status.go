// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// validating says how far the proof of control is.
func validating(run *orderRun) summary {
	status, validation := run.order.Status, run.order.Status.Validation
	sum := summary{v1alpha1.OrderStateValidating, v1alpha1.ReasonValidating, ""}
	switch {
	case validation == nil:
		sum.message = fmt.Sprintf("CAS order %s is made, and CAS has not named its validation %s yet", status.OrderID, proofKind(run.order))
		return sum
	case isNone(run.order.Spec.Solver):
		sum.message = fmt.Sprintf("CAS order %s waits for CAS to see that %q is pre-authorised: if it is not, use a solver that publishes the %s record %q",
			status.OrderID, validation.Domain, validation.RecordType, validation.RecordName)
	case validation.VisibleAt != nil:
		sum.message = fmt.Sprintf("CAS order %s waits for the CA to look for %s, which is visible", status.OrderID, proof(run.order))
		return sum
	case isManual(run.order):
		sum.reason = v1alpha1.ReasonAwaitingDNSRecord
		if isFile(run.order.Spec.Solver) {
			sum.reason = v1alpha1.ReasonAwaitingFile
		}
		sum.message = fmt.Sprintf("%s; that it is there is noticed without further action", toPublish(run.order))
	case validation.PresentedAt != nil:
		sum.message = fmt.Sprintf("CAS order %s waits for %s, which is published and not visible yet", status.OrderID, proof(run.order))
	default:
		sum.message = fmt.Sprintf("CAS order %s waits for its validation %s, which is not published yet", status.OrderID, proofKind(run.order))
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
		return "the file " + address(v)
	}
	return fmt.Sprintf("the %s record %q", v.RecordType, v.FQDN)
}

func proofKind(order *v1alpha1.AliyunOrder) string {
	if isFile(order.Spec.Solver) {
		return "file"
	}
	return "record"
}

// address is where the CA looks for a file; by HTTPS, too.
func address(v *v1alpha1.OrderValidation) string {
	path := v.Zone
	if path == "" {
		path = v.RecordName
	}
	return "http://" + v.Domain + path
}

// toPublish tells a person what to do for a manual validation.
func toPublish(order *v1alpha1.AliyunOrder) string {
	v := order.Status.Validation
	if v.RecordType == dcv.TypeFile {
		return fmt.Sprintf("put a file with the content %q at %s for CAS order %s, without a redirect", v.RecordValue, address(v), order.Status.OrderID)
	}
	name := v.FQDN
	if name == "" {
		name = v.RecordName
	}
	return fmt.Sprintf("create the DNS record %s %s %q for CAS order %s", name, v.RecordType, v.RecordValue, order.Status.OrderID)
}
