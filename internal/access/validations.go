// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// ChallengeOf is what a validation asks for.
func ChallengeOf(v *v1alpha1.OrderValidation) dcv.Challenge {
	return dcv.Challenge{Domain: v.Domain, RecordName: v.RecordName, RecordType: v.RecordType,
		RecordValue: v.RecordValue}
}

// CheckDomain returns a problem if a validation proves the control of a name that its order is not for. Whoever answers
// as CAS chooses the name, and could have a record published, or a file served, for the host of somebody else.
func CheckDomain(order *v1alpha1.AliyunOrder, v *v1alpha1.OrderValidation) error {
	if orders.NameOf(order, v) != "" {
		return nil
	}
	return &dcv.Problem{Message: fmt.Sprintf("CAS asks for a validation of %q, which the order is not for. Nothing is "+
		"published. If the console of CAS shows another validation for the order, publish that by hand: the order "+
		"goes on by itself", v.Domain)}
}

// files are those that the Order waits for, as far as CAS has told where they are.
func (use Use) files() (all []dcv.Record) {
	if use.Order == nil {
		return nil
	}
	for i := range use.Order.Status.Validations {
		if rec, err := httpfile.Locate(ChallengeOf(&use.Order.Status.Validations[i])); err == nil {
			all = append(all, rec)
		}
	}
	return all
}
