// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// inherit goes on with the order of a request that this one's replaced: cert-manager deletes a request and makes a new
// one, with the same key, when a Certificate is edited. The claim is written on the old Order first, under its
// resourceVersion, so that it is either given back or handed over, never both. What is not worth going on with is given
// back before this one begins.
func (r *OrderReconciler) inherit(ctx context.Context, run *orderRun) outcome {
	if run.order.Status.OrderID != "" || run.order.Status.Submission != nil {
		return r.lateAnswer(ctx, run)
	}
	old, err := r.predecessor(ctx, run.order)
	if err != nil {
		return failed(err)
	}
	if old == nil {
		return proceed()
	}
	if old.Status.HandedOverTo != run.order.UID {
		if end := r.claim(ctx, run, old); end.kind != outcomeProceed {
			return end
		}
	}
	run.goOnWith(&old.Status)
	if err := r.save(ctx, run); err != nil {
		return failed(err)
	}
	return proceed()
}

// goOnWith copies what an Order knows of its order at CAS.
func (run *orderRun) goOnWith(old *v1alpha1.OrderStatus) {
	heir, from := &run.order.Status, old.DeepCopy()
	heir.Submission, heir.OrderID, heir.OrderIDBasis, heir.SubmittedAt = from.Submission, from.OrderID, from.OrderIDBasis, from.SubmittedAt
	heir.AccountID, heir.ExcludedOrderIDs, heir.CASState, heir.CASStateSince = from.AccountID, from.ExcludedOrderIDs, from.CASState, from.CASStateSince
	heir.Validation, heir.CertificateID, heir.Deadline = from.Validation, from.CertificateID, from.Deadline
	if heir.Validation != nil {
		heir.Validation.PresentedAt, heir.Validation.VisibleAt = nil, nil // what the old Order owns goes with it
	}
}

// lateAnswer takes the id over that an Order was given by CAS after it was handed over with nothing but an intent. It is
// worth more than what was found in a listing meanwhile.
func (r *OrderReconciler) lateAnswer(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	if status.OrderID != "" && !status.IsPresumed() {
		return proceed()
	}
	orders, err := relatives(ctx, r.Client, run.order)
	if err != nil {
		return failed(err)
	}
	for i := range orders {
		old := &orders[i]
		isAnswered := old.Status.HandedOverTo == run.order.UID && old.Status.OrderIDBasis == v1alpha1.OrderIDByAnswer
		switch {
		case !isAnswered:
		case status.OrderID != "" && status.OrderID != old.Status.OrderID:
			return r.disprove(ctx, run, fmt.Sprintf("CAS order %s was presumed to be this one's, and CAS has answered that it is %s: the former is left alone", status.OrderID, old.Status.OrderID))
		default:
			status.OrderID, status.OrderIDBasis, status.SubmittedAt = old.Status.OrderID, old.Status.OrderIDBasis, old.Status.SubmittedAt
			if err := r.save(ctx, run); err != nil {
				return failed(err)
			}
			return proceed()
		}
	}
	return proceed()
}

// claim says on the old Order who goes on with it. Another one's claim is void once that one is gone, and has left
// what it claimed with nobody: its own request was replaced, too.
func (r *OrderReconciler) claim(ctx context.Context, run *orderRun, old *v1alpha1.AliyunOrder) outcome {
	if other := old.Status.HandedOverTo; other != "" {
		orders, err := relatives(ctx, r.APIReader, old)
		if err != nil {
			return failed(err)
		}
		isTaken := func(o v1alpha1.AliyunOrder) bool { return o.UID == other || isSame(&o, old) && holdsSame(&o, old) }
		if slices.ContainsFunc(orders, isTaken) {
			return rest(holdFirst / 10)
		}
	}
	if old.Status.Release != nil || !isWorth(old, run.now) || !suits(old, run.order) {
		return stall(holdFirst/3, v1alpha1.ReasonPredecessor, fmt.Sprintf(
			"the AliyunOrder %q of the request that this one replaced is being given back: this one is submitted afterwards, without further action", old.Name))
	}
	next := old.DeepCopy()
	next.Status.HandedOverTo = run.order.UID
	if err := r.Status().Patch(ctx, next, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{})); err != nil {
		return failed(err)
	}
	*old = *next
	return proceed()
}

// relatives are the other Orders of the namespace for the same name.
func relatives(ctx context.Context, from client.Reader, order *v1alpha1.AliyunOrder) ([]v1alpha1.AliyunOrder, error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := from.List(ctx, list, client.InNamespace(order.Namespace), client.MatchingFields{fieldBaseName: order.Spec.BaseName}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(o v1alpha1.AliyunOrder) bool { return o.UID == order.UID || o.Spec.BaseName != order.Spec.BaseName }), nil
}

// predecessor is the Order that this one can go on with, or whose end it has to wait for: the one that it has claimed
// already, or else the best that nobody has, or else one whose heir may be gone.
func (r *OrderReconciler) predecessor(ctx context.Context, heir *v1alpha1.AliyunOrder) (*v1alpha1.AliyunOrder, error) {
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
		hasOrder := (status.OrderID != "" || status.Submission != nil) && len(status.Certificate) == 0
		isOpen := status.Release == nil || status.Release.Outcome == ""
		if !hasOrder || !isOpen || !isSame(old, heir) {
			continue
		}
		switch isLeft, err := r.isLeft(ctx, old); {
		case err != nil:
			return nil, err
		case !isLeft: // its request lives: what others have handed over is with it
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

// byWorth puts first what is known best, and of equal ones the older.
func byWorth(a, b v1alpha1.AliyunOrder) int {
	if pa, pb := proofs[a.Status.OrderIDBasis], proofs[b.Status.OrderIDBasis]; pa != pb {
		return pb - pa
	}
	if isOlder(&a, &b) {
		return -1
	}
	return 1
}

// holdsSame says that two Orders hold one order at CAS, or one submission: the one has it from the other.
func holdsSame(a, b *v1alpha1.AliyunOrder) bool {
	is, was := a.Status, b.Status
	return is.OrderID != "" && is.OrderID == was.OrderID ||
		is.Submission != nil && was.Submission != nil && is.Submission.StartedAt.Equal(&was.Submission.StartedAt)
}

// isLeft says that an Order has lost its request. The garbage collector may take its time to delete it, and the request
// that replaces the lost one is there at once.
func (r *OrderReconciler) isLeft(ctx context.Context, order *v1alpha1.AliyunOrder) (bool, error) {
	if order.DeletionTimestamp != nil {
		return true, nil
	}
	request, err := r.requestOf(ctx, r.Client, order)
	return request == nil && err == nil, err
}

// isSame says that one Order was made for what the other is made for: its request was replaced, with the same key.
func isSame(a, b *v1alpha1.AliyunOrder) bool {
	names := func(o *v1alpha1.AliyunOrder) []string { return slices.Sorted(slices.Values(o.Spec.DNSNames)) }
	return a.Spec.IssuerRef == b.Spec.IssuerRef && a.Spec.CommonName == b.Spec.CommonName && slices.Equal(names(a), names(b)) &&
		sameKey(a.Spec.Request, b.Spec.Request)
}

// suits says that an heir can go on with what was ordered: in the same account, from the same source, and with a solver
// for the kind of validation that was ordered, which cannot be changed any more.
func suits(old, heir *v1alpha1.AliyunOrder) bool {
	return equality.Semantic.DeepEqual(old.Spec.Access, heir.Spec.Access) && old.Spec.SecretNamespace == heir.Spec.SecretNamespace &&
		equality.Semantic.DeepEqual(old.Spec.Source, heir.Spec.Source) && validateType(old.Spec.Solver) == validateType(heir.Spec.Solver)
}

// goesOn are the states at CAS from which a certificate can still come. In any other an heir would end as the old Order
// does, and whoever deletes a request to order anew would get the same answer again.
var goesOn = []cas.State{"", cas.StateDomainVerify, cas.StateProcess, cas.StateUnknow, cas.StateCertificate}

// isWorth says that an order can still serve another request for the same.
func isWorth(order *v1alpha1.AliyunOrder, now time.Time) bool {
	status := order.Status
	isLate := status.Deadline != nil && !now.Before(status.Deadline.Time)
	return slices.Contains(goesOn, cas.State(status.CASState)) && status.UnusableSince == nil && status.Missing == nil && !isLate
}

func sameKey(a, b []byte) bool {
	keyOf := func(request []byte) []byte {
		csr, err := pki.DecodeX509CertificateRequestBytes(request)
		if err != nil {
			return nil
		}
		key, err := x509.MarshalPKIXPublicKey(csr.PublicKey)
		if err != nil {
			return nil
		}
		return key
	}
	return keyOf(a) != nil && bytes.Equal(keyOf(a), keyOf(b))
}
