// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import "github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"

// HoldsInstance says whether an Order has applied with its instance, and has not ended: nobody else may apply with the
// instance meanwhile. Afterwards it may serve another Order under the same id. So it may once an Order could not give
// it back, and a person was told: whether it is under way still, its status tells.
func HoldsInstance(order v1alpha1.AliyunOrder) bool {
	submission, release := order.Status.Submission, order.Status.Release
	isBack := release != nil && order.Status.Progress != v1alpha1.PhaseIssued &&
		(release.Outcome == v1alpha1.Released || release.Outcome == v1alpha1.NothingToRelease ||
			release.Outcome == v1alpha1.Unresolved)
	return submission != nil && submission.Instance != nil && len(order.Status.Certificate) == 0 && !isBack
}

// hasLeft says that an Order has ended, and that its id is by now that of whoever applies with the instance.
func hasLeft(order *v1alpha1.AliyunOrder) bool {
	submission := order.Status.Submission
	return submission != nil && submission.Instance != nil && !HoldsInstance(*order)
}
