// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// inheriting is the phase inherit.
type inheriting struct {
	*kube
	*holding

	unsent *sync.Map
}

// Goes on with the order of a request that was replaced: when a Certificate is edited, cert-manager deletes the request
// and makes a new one with the same key. Writes the claim on the old Order first, under its resourceVersion, so that
// its order is either given back or handed over, never both. An order that is not worth going on with is given back
// before this one begins.
func (r *inheriting) inherit(ctx context.Context, run *orderRun) outcome {
	if book.MayHaveOrder(run.order) {
		return r.lateAnswer(ctx, run)
	}
	old, err := r.predecessor(ctx, run.order)
	if err != nil {
		return apiError(err)
	}
	if old == nil {
		return proceed()
	}
	if old.Status.HandedOverTo != run.order.UID {
		if end := r.claim(ctx, run, old); end.endsRun() {
			return end
		}
	}
	goOnWith(run, old)
	if err := r.save(ctx, run); err != nil {
		return apiError(err)
	}
	if unsent, ok := r.unsent.Load(old.UID); ok { // the heir has the same intent, so no call followed the heir's either
		r.unsent.Store(run.order.UID, unsent)
	}
	return proceed()
}

// Copies to the heir what the old Order knows of its order at CAS. Leaves validation records out if the heir's solver
// publishes elsewhere: the old Order removes them when it hands over.
func goOnWith(run *orderRun, old *v1alpha1.AliyunOrder) {
	heir, from := &run.order.Status, old.Status.DeepCopy()
	heir.Submission, heir.OrderID, heir.OrderIDBasis, heir.SubmittedAt = from.Submission, from.OrderID,
		from.OrderIDBasis, from.SubmittedAt
	heir.AccountID, heir.ExcludedOrderIDs = from.AccountID, from.ExcludedOrderIDs
	heir.Progress, heir.CASState, heir.CASStateSince = from.Progress, from.CASState, from.CASStateSince
	heir.CertificateID, heir.CertIdentifier, heir.Deadline = from.CertificateID, from.CertIdentifier, from.Deadline
	for _, validation := range from.Validations {
		if validation.CleanedUpAt == nil && sharePlace(old, run.order, &validation) {
			validation.PresentedAt, validation.VisibleAt = nil, nil // what the old Order owns is deleted with it
			heir.Validations = append(heir.Validations, validation)
		}
	}
}

// Takes over an id that CAS gave an old Order after it had handed over a mere intent. That id overrules one that this
// Order has presumed meanwhile.
func (r *inheriting) lateAnswer(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if status.OrderID != "" && !status.IsPresumed() {
		return proceed()
	}
	orders, err := relatives(ctx, r.Client, run.order)
	if err != nil {
		return apiError(err)
	}
	for i := range orders {
		old := &orders[i]
		isAnswered := old.Status.HandedOverTo == run.order.UID && old.Status.OrderIDBasis == v1alpha1.OrderIDByAnswer
		switch {
		case !isAnswered:
		case status.OrderID != "" && status.OrderID != old.Status.OrderID:
			return r.disprove(ctx, run, overruled(status.OrderID, old.Status.OrderID))
		default:
			status.OrderID, status.OrderIDBasis, status.SubmittedAt = old.Status.OrderID, old.Status.OrderIDBasis,
				old.Status.SubmittedAt
			if err := r.save(ctx, run); err != nil {
				return apiError(err)
			}
			return proceed()
		}
	}
	return proceed()
}

// Writes on the old Order that this one goes on with it. If the Order that claimed it no longer exists, and no other
// Order holds the same CAS order, the claim may be overwritten: that Order's request was replaced, too, before it had
// copied anything.
func (r *inheriting) claim(ctx context.Context, run *orderRun, old *v1alpha1.AliyunOrder) outcome {
	if other := old.Status.HandedOverTo; other != "" {
		orders, err := relatives(ctx, r.APIReader, old)
		if err != nil {
			return apiError(err)
		}
		isTaken := func(o v1alpha1.AliyunOrder) bool { return o.UID == other || isSame(&o, old) && holdsSame(&o, old) }
		if slices.ContainsFunc(orders, isTaken) {
			return notYet(holdFirst / 10)
		}
	}
	if old.Status.Release != nil || !isWorth(old, run.now) || !suits(old, run.order, run.offer) {
		return hold(holdFirst/3, v1alpha1.ReasonPredecessor, fmt.Sprintf(
			"the AliyunOrder %q of the request that this one replaced is being given back: this one is submitted "+
				"afterwards, without further action", old.Name))
	}
	next := old.DeepCopy()
	next.Status.HandedOverTo = run.order.UID
	if err := r.Status().Patch(
		ctx, next, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{})); err != nil {
		return apiError(err)
	}
	*old = *next
	return proceed()
}

// Returns the other Orders of the namespace for the same base name.
func relatives(ctx context.Context, from client.Reader, order *v1alpha1.AliyunOrder) ([]v1alpha1.AliyunOrder, error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := from.List(ctx, list, client.InNamespace(order.Namespace),
		client.MatchingFields{book.FieldBaseName: order.Spec.BaseName}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(
		list.Items, func(o v1alpha1.AliyunOrder) bool {
			return o.UID == order.UID ||
				o.Spec.BaseName != order.Spec.BaseName
		}), nil
}

// Returns the Order that this one can go on with, or whose end it has to wait for: the one that it has claimed already;
// else the one with the strongest proof that nobody has claimed; else a claimed one whose heir may be gone. Returns no
// claimed one if an Order for the same still has its request: that Order is the heir.
func (r *inheriting) predecessor(ctx context.Context, heir *v1alpha1.AliyunOrder) (*v1alpha1.AliyunOrder, error) {
	orders, err := relatives(ctx, r.Client, heir)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(orders, byWorth)
	var free, claimed *v1alpha1.AliyunOrder
	isTaken := false
	for i := range orders {
		old := &orders[i]
		status := old.Status
		hasOrder := book.MayHaveOrder(old) && len(status.Certificate) == 0
		isOpen := status.Release == nil || status.Release.Outcome == ""
		if !hasOrder || !isOpen || !isSame(old, heir) {
			continue
		}
		switch isLeft, err := r.isLeft(ctx, old); {
		case err != nil:
			return nil, err
		case !isLeft: // its request lives: it has what others have handed over
			isTaken = true
		case status.HandedOverTo == heir.UID:
			return old, nil
		case status.HandedOverTo != "":
			claimed = old
		case free == nil:
			free = old
		}
	}
	if free != nil || isTaken {
		return free, nil
	}
	return claimed, nil
}

// Puts the Order with the strongest proof of its id first, and of equal ones the older.
func byWorth(a, b v1alpha1.AliyunOrder) int {
	if pa, pb := proofs[a.Status.OrderIDBasis], proofs[b.Status.OrderIDBasis]; pa != pb {
		return pb - pa
	}
	if book.IsOlder(&a, &b) {
		return -1
	}
	return 1
}

// Says whether two Orders hold the same CAS order, or the same submission: then one has inherited it from the other.
func holdsSame(a, b *v1alpha1.AliyunOrder) bool {
	is, was := a.Status, b.Status
	return is.OrderID != "" && is.OrderID == was.OrderID ||
		is.Submission != nil && was.Submission != nil && is.Submission.StartedAt.Equal(&was.Submission.StartedAt)
}

// Says whether an Order has lost its request. Does not wait until the Order is deleted: the garbage collector may take
// its time, and the request that replaces the lost one is there at once.
func (r *kube) isLeft(ctx context.Context, order *v1alpha1.AliyunOrder) (bool, error) {
	if order.DeletionTimestamp != nil {
		return true, nil
	}
	request, err := r.requestOf(ctx, r.Client, order)
	return request == nil && err == nil, err
}

// Says whether two Orders were made for the same issuer, names and key: then one's request has replaced the other's.
func isSame(a, b *v1alpha1.AliyunOrder) bool {
	names := func(o *v1alpha1.AliyunOrder) []string { return slices.Sorted(slices.Values(o.Spec.DNSNames)) }
	return a.Spec.IssuerRef == b.Spec.IssuerRef && a.Spec.CommonName == b.Spec.CommonName &&
		slices.Equal(names(a), names(b)) &&
		csr.SameKey(a.Spec.Request, b.Spec.Request)
}

// suits says that an heir can go on with what was ordered: in the same account, from the same source, and with a solver
// for the kind of validation that was ordered, which cannot be changed any more.
func suits(old, heir *v1alpha1.AliyunOrder, offer source.Offer) bool {
	return equality.Semantic.DeepEqual(old.Spec.Access, heir.Spec.Access) &&
		old.Spec.SecretNamespace == heir.Spec.SecretNamespace &&
		offer.GoesOn(old.Spec.Source) &&
		old.Spec.IsFile() == heir.Spec.IsFile()
}

// goesOn are the phases from which a certificate can still come. In any other an heir would end as the old Order
// does, and whoever deletes a request to order anew would get the same answer again.
var goesOn = []v1alpha1.OrderPhase{
	"", v1alpha1.PhaseAwaitingValidation, v1alpha1.PhaseInReview, v1alpha1.PhaseUnknown, v1alpha1.PhaseIssued,
}

// isWorth says that an order can still serve another request for the same.
func isWorth(order *v1alpha1.AliyunOrder, now time.Time) bool {
	status := order.Status
	isLate := status.Deadline != nil && !now.Before(status.Deadline.Time)
	return slices.Contains(goesOn, status.Progress) && status.UnusableSince == nil &&
		status.Missing == nil && !isLate
}
