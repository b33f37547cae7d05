// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// LetGoOfID forgets an id that is somebody else's, and all that CAS said of its order. It excludes the id, so that the
// Order does not take it again.
func LetGoOfID(status *v1alpha1.OrderStatus) {
	Exclude(status, status.OrderID)
	status.OrderID, status.OrderIDBasis, status.SubmittedAt = "", "", nil
	status.Progress, status.CASState, status.CASStateSince = "", "", nil
	status.CertificateID, status.CertIdentifier = "", ""
	status.Validations, status.Deadline, status.Missing, status.UnusableSince = nil, nil, nil, nil
	if status.Submission != nil && status.Submission.ResourcePlan != nil {
		status.Submission.ResourcePlan.EmptyListingAt = nil
	}
	for _, kind := range []string{v1alpha1.ConditionSubmitted, v1alpha1.ConditionDomainsValidated} {
		meta.RemoveStatusCondition(&status.Conditions, kind)
	}
}
