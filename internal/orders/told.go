// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// IssuedBy tells what the certificate comes from.
func IssuedBy(status v1alpha1.OrderStatus) string {
	if status.ReusedOrderID == "" {
		return fmt.Sprintf("CAS order %s is issued", status.OrderID)
	}
	return fmt.Sprintf("the certificate of CAS order %s, which has the key and the names of this request, is "+
		"delivered again, and nothing was ordered. A request with another key orders a new one, and so does every "+
		"request where spec.orders.reuse of the issuer is Disabled", status.ReusedOrderID)
}

// Address returns where the CA looks for a file. It looks there by HTTPS, too.
func Address(v *v1alpha1.OrderValidation) string {
	path := v.Zone
	if path == "" {
		path = v.RecordName
	}
	return "http://" + v.Domain + path
}

// maxTold is how many validations one message tells in full.
const maxTold = 8

// ToPublish tells a person what to do for manual validations: whatever cannot be seen yet. There is something, as
// IsToPublish says.
func ToPublish(order *v1alpha1.AliyunOrder) string {
	left := byHand(order)
	v, more := left[0], ""
	for _, other := range left[1:min(len(left), maxTold)] {
		if other.RecordType == dcv.TypeFile {
			more += fmt.Sprintf(" and one with the content %q at %s", other.RecordValue, Address(&other))
		} else {
			more += fmt.Sprintf(" and %s %s %q", recordName(&other), other.RecordType, other.RecordValue)
		}
	}
	if len(left) > maxTold {
		more += fmt.Sprintf(" and %d more, which the AliyunOrder %q has in status.validations", len(left)-maxTold,
			order.Name)
	}
	if v.RecordType == dcv.TypeFile {
		return fmt.Sprintf("put a file with the content %q at %s%s for CAS order %s, without a redirect", v.RecordValue,
			Address(&v), more, order.Status.OrderID)
	}
	return fmt.Sprintf("create the DNS record %s %s %q%s for CAS order %s", recordName(&v), v.RecordType, v.RecordValue,
		more, order.Status.OrderID)
}

// Returns the full name of a record, or the name that CAS has told if the full one is not known.
func recordName(v *v1alpha1.OrderValidation) string { return cmp.Or(v.FQDN, v.RecordName) }

// IsToPublish says whether a person has something to publish for an order.
func IsToPublish(order *v1alpha1.AliyunOrder) bool {
	return len(byHand(order)) > 0
}

// byHand are the validations that a person has to publish.
func byHand(order *v1alpha1.AliyunOrder) []v1alpha1.OrderValidation {
	return slices.DeleteFunc(Invisible(order.Status.Validations), func(v v1alpha1.OrderValidation) bool {
		return !SolverOf(order, &v).IsManual()
	})
}

// Invisible returns the validations that the self-check does not see.
func Invisible(validations []v1alpha1.OrderValidation) []v1alpha1.OrderValidation {
	isVisible := func(v v1alpha1.OrderValidation) bool { return v.VisibleAt != nil }
	return slices.DeleteFunc(slices.Clone(validations), isVisible)
}
