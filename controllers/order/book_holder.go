// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
)

// holding sees to it that an order at CAS has one holder.
type holding struct {
	*kube
	*cleaning
}

// Makes sure that no other Order holds the same id, before anything is done to the order at CAS. This process makes no
// second holder, but there may be one from an earlier version, from a backup, or because an account was not known at
// first. The Order with the weaker proof gives the id up.
func (r *holding) soleHolder(ctx context.Context, run *orderRun) outcome {
	others, err := book.Holders(ctx, r.APIReader, run.order, run.order.Status.OrderID)
	if err != nil {
		return apiError(err)
	}
	for i := range others {
		other := &others[i]
		if isStronger(other, run.order) {
			return r.disprove(ctx, run, heldElsewhere(run.order))
		}
		next := other.DeepCopy()
		takeRecordsOf(run, next)
		book.LetGoOfID(&next.Status)
		if err := r.Status().Patch(
			ctx, next, client.MergeFromWithOptions(other, client.MergeFromWithOptimisticLock{})); err != nil {
			return apiError(err)
		}
		r.Recorder.Eventf(next, nil, corev1.EventTypeWarning, "NotThisOrder", "Hold", "%s", heldElsewhere(other))
	}
	return proceed()
}

// Takes over the validation records of an Order that has to give the same CAS order up: from now on, this Order removes
// them, whichever of the two made them.
func takeRecordsOf(run *orderRun, other *v1alpha1.AliyunOrder) {
	own := &run.order.Status.Validations
	for _, theirs := range other.Status.Validations {
		if !isOurs(theirs) {
			continue
		}
		at := slices.IndexFunc(*own, func(v v1alpha1.OrderValidation) bool { return isSameRecord(v, theirs) })
		if at < 0 {
			*own = append(*own, *theirs.DeepCopy())
			continue
		}
		(*own)[at].Ownership, (*own)[at].RecordID = theirs.Ownership, theirs.RecordID
	}
}

func heldElsewhere(order *v1alpha1.AliyunOrder) string {
	return fmt.Sprintf("CAS order %s was presumed to be this one's, and belongs to another AliyunOrder of the "+
		"account: it is left alone", order.Status.OrderID)
}

// proofs ranks the bases of an id: a higher number is a stronger proof.
var proofs = map[v1alpha1.OrderIDBasis]int{
	v1alpha1.OrderIDByListing: 1, v1alpha1.OrderIDByOperator: 2, v1alpha1.OrderIDByAnswer: 3,
	v1alpha1.OrderIDByRequest: 3, v1alpha1.OrderIDByCertificate: 4,
}

// Says whether the claim of a to an id outweighs that of b: by the stronger proof, then by the earlier submission, then
// by age, so that every replica decides alike.
func isStronger(a, b *v1alpha1.AliyunOrder) bool {
	if pa, pb := proofs[a.Status.OrderIDBasis], proofs[b.Status.OrderIDBasis]; pa != pb {
		return pa > pb
	}
	if at, bt := a.Status.SubmittedAt, b.Status.SubmittedAt; !at.Equal(bt) {
		return at.Before(bt)
	}
	return book.IsOlder(a, b)
}
