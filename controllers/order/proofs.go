// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"fmt"
	"slices"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// Says whether two validations want the same to be published.
func isSameProof(a, b v1alpha1.OrderValidation) bool {
	return a.Domain == b.Domain && a.RecordName == b.RecordName && a.RecordType == b.RecordType &&
		a.RecordValue == b.RecordValue
}

// Says whether two validations stand in the same record. CAs may ask several orders for it.
func isSameRecord(a, b v1alpha1.OrderValidation) bool {
	return a.RecordType != dcv.TypeFile && a.FQDN == b.FQDN && a.RecordType == b.RecordType &&
		a.RecordValue == b.RecordValue
}

// Says whether the controller has published something that it has not removed yet.
func isOurs(validation v1alpha1.OrderValidation) bool {
	return validation.Ownership == v1alpha1.RecordOurs && validation.CleanedUpAt == nil
}

// Returns which of the validations that an order has are not wanted any more by what CAS lists. One that has left a
// list which is shorter than before may be done, and stays, unless another one is wanted for its domain.
func superseded(had, listed []v1alpha1.OrderValidation) (old []v1alpha1.OrderValidation) {
	for _, validation := range had {
		isListed := slices.ContainsFunc(listed, func(v v1alpha1.OrderValidation) bool {
			return isSameProof(v, validation)
		})
		isReplaced := slices.ContainsFunc(listed, func(v v1alpha1.OrderValidation) bool {
			return v.Domain == validation.Domain
		})
		if !isListed && (isReplaced || len(listed) >= len(had)) {
			old = append(old, validation)
		}
	}
	return old
}

// Returns what CAS lists and the order does not have.
func added(had, listed []v1alpha1.OrderValidation) (fresh []v1alpha1.OrderValidation) {
	for _, validation := range listed {
		isKnown := func(v v1alpha1.OrderValidation) bool { return isSameProof(v, validation) }
		if !slices.ContainsFunc(had, isKnown) && !slices.ContainsFunc(fresh, isKnown) {
			fresh = append(fresh, validation)
		}
	}
	return fresh
}

// Returns the validation that people have to hear of. Of those that are not visible, one that a person has to publish
// goes before one that a solver publishes, and one that nobody has to publish comes last.
func foremost(order *v1alpha1.AliyunOrder) *v1alpha1.OrderValidation {
	rank := func(v *v1alpha1.OrderValidation) int {
		switch solver := orders.SolverOf(order, v); {
		case v.VisibleAt != nil:
			return 3
		case solver.IsNone():
			return 2
		case solver.IsManual():
			return 0
		default:
			return 1
		}
	}
	validations := order.Status.Validations
	first := &validations[0]
	for i := range validations {
		if v := &validations[i]; rank(v) < rank(first) {
			first = v
		}
	}
	return first
}

// Counts the validations that the self-check sees, for people: empty before there are any.
func countVisible(validations []v1alpha1.OrderValidation) string {
	if len(validations) == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", len(validations)-len(orders.Invisible(validations)), len(validations))
}

// proof names what the CA looks for.
func proof(v *v1alpha1.OrderValidation) string {
	if v.RecordType == dcv.TypeFile {
		return "the file " + orders.Address(v)
	}
	return fmt.Sprintf("the %s record %q", v.RecordType, v.FQDN)
}

func proofKind(order *v1alpha1.AliyunOrder) string {
	if order.Spec.IsFile() {
		return "file"
	}
	return "record"
}
