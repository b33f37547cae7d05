// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// inherit goes on with the order of a request that this one's replaced: cert-manager deletes a request and makes a new
// one, with the same key, when a Certificate is edited. The claim is written on the old Order first, under its
// resourceVersion, so that it is either given back or handed over, never both.
func (r *OrderReconciler) inherit(ctx context.Context, run *orderRun) outcome {
	if run.order.Status.OrderID != "" || run.order.Status.Submission != nil {
		return proceed()
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
	heir, from := &run.order.Status, old.Status.DeepCopy()
	heir.Submission, heir.OrderID, heir.OrderIDBasis, heir.SubmittedAt = from.Submission, from.OrderID, from.OrderIDBasis, from.SubmittedAt
	heir.AccountID, heir.ExcludedOrderIDs, heir.CASState, heir.CASStateSince = from.AccountID, from.ExcludedOrderIDs, from.CASState, from.CASStateSince
	heir.Validation, heir.CertificateID, heir.Deadline, heir.Missing = from.Validation, from.CertificateID, from.Deadline, from.Missing
	if heir.Validation != nil {
		heir.Validation.PresentedAt, heir.Validation.VisibleAt = nil, nil // what the old Order owns goes with it
	}
	if err := r.save(ctx, run); err != nil {
		return failed(err)
	}
	return proceed()
}

// claim says on the old Order who goes on with it. Another one's claim is void once that one is gone, and has left
// what it claimed with nobody: its own request was replaced, too.
func (r *OrderReconciler) claim(ctx context.Context, run *orderRun, old *v1alpha1.AliyunOrder) outcome {
	if other := old.Status.HandedOverTo; other != "" {
		orders := &v1alpha1.AliyunOrderList{}
		if err := r.APIReader.List(ctx, orders, client.InNamespace(old.Namespace)); err != nil {
			return failed(err)
		}
		isTaken := func(o v1alpha1.AliyunOrder) bool {
			return o.UID == other || o.UID != old.UID && isSame(&o, old) && holdsSame(&o, old)
		}
		if slices.ContainsFunc(orders.Items, isTaken) {
			return rest(holdFirst / 10)
		}
	}
	if old.Status.Release != nil {
		return stall(holdFirst, v1alpha1.ReasonPredecessor, fmt.Sprintf(
			"the AliyunOrder %q of the request that this one replaced is being given back: this one is submitted afterwards", old.Name))
	}
	next := old.DeepCopy()
	next.Status.HandedOverTo = run.order.UID
	if err := r.Status().Patch(ctx, next, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{})); err != nil {
		return failed(err)
	}
	*old = *next
	return proceed()
}

// predecessor is the Order that this one can go on with, or whose end it has to wait for.
func (r *OrderReconciler) predecessor(ctx context.Context, heir *v1alpha1.AliyunOrder) (*v1alpha1.AliyunOrder, error) {
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, orders, client.InNamespace(heir.Namespace)); err != nil {
		return nil, err
	}
	var claimed *v1alpha1.AliyunOrder
	isTaken := false
	for i := range orders.Items {
		old := &orders.Items[i]
		status := old.Status
		hasOrder := (status.OrderID != "" || status.Submission != nil) && len(status.Certificate) == 0
		isOpen := status.Release == nil || status.Release.Outcome == ""
		if old.UID == heir.UID || !hasOrder || !isOpen || !isSame(old, heir) {
			continue
		}
		switch isLeft, err := r.isLeft(ctx, old); {
		case err != nil:
			return nil, err
		case !isLeft: // its request lives: what others have handed over is with it
			isTaken = true
		case status.HandedOverTo == "" || status.HandedOverTo == heir.UID:
			return old, nil
		default:
			claimed = old
		}
	}
	if isTaken {
		return nil, nil
	}
	return claimed, nil
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

// isSame says that the certificate of one Order would serve the request of the other.
func isSame(a, b *v1alpha1.AliyunOrder) bool {
	names := func(o *v1alpha1.AliyunOrder) []string { return slices.Sorted(slices.Values(o.Spec.DNSNames)) }
	return a.Spec.IssuerRef == b.Spec.IssuerRef && a.Spec.CommonName == b.Spec.CommonName && slices.Equal(names(a), names(b)) &&
		a.Spec.Region == b.Spec.Region && equality.Semantic.DeepEqual(a.Spec.Endpoint, b.Spec.Endpoint) &&
		equality.Semantic.DeepEqual(a.Spec.Credentials, b.Spec.Credentials) && a.Spec.SecretNamespace == b.Spec.SecretNamespace &&
		equality.Semantic.DeepEqual(a.Spec.Source, b.Spec.Source) && sameKey(a.Spec.Request, b.Spec.Request)
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

// handOver lets go of an Order once its heir has what it knew. An heir that is gone before has taken nothing, and the
// order is given back as any other.
func (r *OrderReconciler) handOver(ctx context.Context, run *orderRun) outcome {
	status := &run.order.Status
	heir, err := r.heir(ctx, run.order.Namespace, status.HandedOverTo)
	switch {
	case err != nil:
		return failed(err)
	case heir == nil:
		status.HandedOverTo = ""
		if err := r.save(ctx, run); err != nil {
			return failed(err)
		}
		return rest(soon)
	case heir.Status.OrderID == "" && heir.Status.Submission == nil:
		return rest(holdFirst / 10)
	case run.order.DeletionTimestamp == nil:
		return r.dropOrphan(ctx, run)
	}
	return r.letGo(ctx, run)
}

// heir reads past the cache: an Order that is let go too early takes an order with it that nobody knows any more.
func (r *OrderReconciler) heir(ctx context.Context, namespace string, uid types.UID) (*v1alpha1.AliyunOrder, error) {
	orders := &v1alpha1.AliyunOrderList{}
	if err := r.APIReader.List(ctx, orders, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(orders.Items, func(o v1alpha1.AliyunOrder) bool { return o.UID == uid })
	if at < 0 {
		return nil, nil
	}
	return &orders.Items[at], nil
}
