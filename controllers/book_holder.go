// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// holders are the other Orders that hold an id in the order's account. One that has handed it over does not count.
func holders(ctx context.Context, from client.Reader, order *v1alpha1.AliyunOrder, id string) ([]v1alpha1.AliyunOrder, error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := from.List(ctx, list, client.MatchingFields{fieldOrderID: id}); err != nil {
		return nil, err
	}
	self := accountOfOrder(order)
	var found []v1alpha1.AliyunOrder
	for i := range list.Items {
		other := &list.Items[i]
		isHolder := other.UID != order.UID && other.Status.OrderID == id && other.Status.HandedOverTo == ""
		if isHolder && self.to(accountOfOrder(other)) == sameAccount {
			found = append(found, *other)
		}
	}
	return found, nil
}

// soleHolder makes sure that an id has one holder, before anything is done to the order at CAS. No path of this process
// leads to a second one, but an Order of an earlier version, a restored one, or one whose account was not known at first
// may be it. Who has the weaker proof gives the id up.
func (r *OrderReconciler) soleHolder(ctx context.Context, run *orderRun) outcome {
	others, err := holders(ctx, r.APIReader, run.order, run.order.Status.OrderID)
	if err != nil {
		return failed(err)
	}
	for i := range others {
		other := &others[i]
		if isStronger(other, run.order) {
			return r.disprove(ctx, run, heldElsewhere(run.order))
		}
		next := other.DeepCopy()
		run.takeRecordOf(next)
		letGoOfID(&next.Status)
		if err := r.Status().Patch(ctx, next, client.MergeFromWithOptions(other, client.MergeFromWithOptimisticLock{})); err != nil {
			return failed(err)
		}
		r.Recorder.Eventf(next, nil, corev1.EventTypeWarning, "NotThisOrder", "Hold", "%s", heldElsewhere(other))
	}
	return proceed()
}

// takeRecordOf goes on with the validation record of an Order that gives the same order at CAS up: whoever made the record,
// it is this one's to remove.
func (run *orderRun) takeRecordOf(other *v1alpha1.AliyunOrder) {
	theirs, status := other.Status.Validation, &run.order.Status
	switch {
	case theirs == nil || theirs.Ownership != v1alpha1.RecordOurs || theirs.CleanedUpAt != nil:
	case status.Validation == nil:
		status.Validation = theirs.DeepCopy()
	case status.Validation.FQDN == theirs.FQDN && status.Validation.RecordValue == theirs.RecordValue:
		status.Validation.Ownership, status.Validation.RecordID = theirs.Ownership, theirs.RecordID
	}
}

// letGoOfID forgets an id that is somebody else's, and all that CAS said of it. It is remembered as excluded.
func letGoOfID(status *v1alpha1.OrderStatus) {
	exclude(status, status.OrderID)
	status.OrderID, status.OrderIDBasis, status.SubmittedAt = "", "", nil
	status.CASState, status.CASStateSince, status.CertificateID = "", nil, ""
	status.Validation, status.Deadline, status.Missing, status.UnusableSince = nil, nil, nil, nil
	if status.Submission != nil {
		status.Submission.EmptyListingAt = nil
	}
	for _, kind := range []string{v1alpha1.ConditionSubmitted, v1alpha1.ConditionDomainsValidated} {
		meta.RemoveStatusCondition(&status.Conditions, kind)
	}
}

// maxExcluded is how many ids an Order remembers that are not its own.
const maxExcluded = 64

// exclude remembers an id that is not this order's, once. Of too many the oldest is forgotten: it is looked at again.
func exclude(status *v1alpha1.OrderStatus, id string) {
	if slices.Contains(status.ExcludedOrderIDs, id) {
		return
	}
	ids := &status.ExcludedOrderIDs
	*ids = append(*ids, id)
	*ids = (*ids)[max(len(*ids)-maxExcluded, 0):]
}

func heldElsewhere(order *v1alpha1.AliyunOrder) string {
	return fmt.Sprintf("CAS order %s was presumed to be this one's, and belongs to another AliyunOrder of the account: it is left alone", order.Status.OrderID)
}

// proofs are the bases of an id, the weakest first.
var proofs = map[v1alpha1.OrderIDBasis]int{
	v1alpha1.OrderIDByListing: 1, v1alpha1.OrderIDByOperator: 2, v1alpha1.OrderIDByAnswer: 3, v1alpha1.OrderIDByCertificate: 4,
}

// isStronger says whose claim to an id counts. Of equal ones it is the older: each replica decides alike.
func isStronger(a, b *v1alpha1.AliyunOrder) bool {
	if pa, pb := proofs[a.Status.OrderIDBasis], proofs[b.Status.OrderIDBasis]; pa != pb {
		return pa > pb
	}
	if at, bt := a.Status.SubmittedAt, b.Status.SubmittedAt; !at.Equal(bt) {
		return at.Before(bt)
	}
	return isOlder(a, b)
}
