// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/budget"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
)

// Tells what to do about a signing request that an earlier order had. cert-manager keeps the key of a pending request,
// whatever its Certificate says by then, and takes a new key only once the request has failed.
func useAnotherKey(run *orderRun) string {
	if csr.IsBare(run.request) {
		return "Make the signing request anew with another key"
	}
	return "Set spec.privateKey.rotationPolicy of the Certificate to Always, so that each request has a new key: " +
		"the next one comes by itself, or at once by cmctl renew"
}

// Refuses a signing request that an earlier AliyunOrder had: CAS is said to refuse it in the review, which is after the
// order was paid for. With an RSA key that is kept, each request has the same bytes.
func (r *buying) repeated(ctx context.Context, run *orderRun) outcome {
	others, err := r.seenWithSameKey(ctx, run.order)
	if err != nil {
		return apiError(err)
	}
	for _, other := range others {
		if requestHash(other.Spec.Request) == requestHash(run.order.Spec.Request) {
			return refuseRepeated(run, other.Status.OrderID)
		}
	}
	return proceed()
}

// Refuses a signing request that an earlier order had, by the record of the issuer. The earlier AliyunOrder may be
// gone: cert-manager deletes a request, and so its AliyunOrder, as soon as there is a next one.
func repeatsRecord(run *orderRun, issuer v1alpha1.GenericIssuer) outcome {
	last := lastSeen(run, issuer)
	if last == nil || last.Request != requestHash(run.order.Spec.Request) {
		return proceed()
	}
	return refuseRepeated(run, last.OrderID)
}

func refuseRepeated(run *orderRun, earlier string) outcome {
	if run.offer.TakesRepeated() {
		return proceed()
	}
	message := fmt.Sprintf("CAS order %s had the same certificate signing request, and CAS is said to refuse one that "+
		"was used before. %s", earlier, useAnotherKey(run))
	if optIn := run.offer.Words().Repeated; optIn != "" {
		message += fmt.Sprintf(". If the CA does take it, set %s of the issuer to Accepted", optIn)
	}
	return giveUp(v1alpha1.ReasonRepeatedRequest, message)
}

// Returns the id of an earlier CAS order with the key of this one, which the CA has refused, or empty if none is known.
func (r *observing) orderedBefore(ctx context.Context, run *orderRun) (id string, err error) {
	others, err := r.seenWithSameKey(ctx, run.order)
	if err != nil {
		return "", err
	}
	if len(others) > 0 {
		return others[len(others)-1].Status.OrderID, nil
	}
	issuer, err := issuers.Get(ctx, r.Client, run.order.Namespace, run.order.Spec.IssuerRef)
	if err != nil {
		return "", client.IgnoreNotFound(err)
	}
	if last := lastSeen(run, issuer); hasKeyOf(run, last) && last.OrderID != run.order.Status.OrderID {
		return last.OrderID, nil
	}
	return "", nil
}

// Returns the last signing request for the order's names that the CA has looked at, by the record of an issuer, or nil.
func lastSeen(run *orderRun, issuer v1alpha1.GenericIssuer) *v1alpha1.SeenRequest {
	return budget.NameSetOf(issuer.GetStatus().Spending, budget.NamesHash(run.order.Spec.DNSNames)).LastRequest
}

// Says whether there is an earlier signing request, and the order has its key.
func hasKeyOf(run *orderRun, last *v1alpha1.SeenRequest) bool {
	return last != nil && last.Key == keyHash(run.order.Spec.Request)
}

// Says whether the CA has looked at an order. An order that was given back before that counts as never made.
func isSeen(status v1alpha1.OrderStatus) bool {
	return len(status.Certificate) > 0 || status.Progress == v1alpha1.PhaseRefused
}

// Returns what the next order for the names has to know of this order's signing request.
func seenRequest(run *orderRun) v1alpha1.SeenRequest {
	request := run.order.Spec.Request
	return v1alpha1.SeenRequest{
		Request: requestHash(request), Key: keyHash(request), OrderID: run.order.Status.OrderID,
		At: metav1.NewTime(run.now.Add(-run.endedAge()).Truncate(time.Second)), Product: demandOf(run).Product,
	}
}

// Returns the Orders with the key of this one that hold another CAS order, which the CA has looked at.
func (r *kube) seenWithSameKey(
	ctx context.Context, order *v1alpha1.AliyunOrder) ([]v1alpha1.AliyunOrder, error) {
	others, err := r.withSameKey(ctx, order)
	return slices.DeleteFunc(others, func(o v1alpha1.AliyunOrder) bool {
		return !isSeen(o.Status) || o.Status.OrderID == "" || o.Status.OrderID == order.Status.OrderID
	}), err
}

// Returns all Orders that have the base name and the key of this one, which may be among them.
func (r *kube) withSameKey(
	ctx context.Context, order *v1alpha1.AliyunOrder) ([]v1alpha1.AliyunOrder, error) {
	list := &v1alpha1.AliyunOrderList{}
	if err := r.List(ctx, list, client.MatchingFields{book.FieldBaseName: order.Spec.BaseName}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(
		list.Items, func(o v1alpha1.AliyunOrder) bool { return !csr.SameKey(o.Spec.Request, order.Spec.Request) }), nil
}

// requestHash is the same for the same signing request, however its PEM is laid out.
func requestHash(request []byte) string {
	if block, _ := pem.Decode(request); block != nil {
		request = block.Bytes
	}
	return budget.Hash(string(request), 8)
}

// keyHash is the same for the same public key.
func keyHash(request []byte) string { return budget.Hash(string(csr.PublicKey(request)), 8) }
