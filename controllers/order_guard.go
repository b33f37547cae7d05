// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"fmt"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// guard lets an order go on only for the request that it was made for, and buy only while its issuer is ready. An
// order that is made goes on without its issuer: it is paid for.
func (r *OrderReconciler) guard(ctx context.Context, run *orderRun) outcome {
	request, err := r.requestOf(ctx, r.Client, run.order)
	if err != nil {
		return failed(err)
	}
	if request == nil {
		return r.dropOrphan(ctx, run)
	}
	run.request = request
	if end := wanted(run.order, request); end.kind != outcomeProceed {
		return end
	}
	if run.order.Status.OrderID != "" || run.order.Status.Submission != nil {
		return proceed()
	}
	if end := r.keepFinalizer(ctx, run); end.kind != outcomeProceed {
		return end
	}
	return r.readyIssuer(ctx, run)
}

// dropOrphan deletes an Order whose request was deleted without it, which gives back what was ordered.
func (r *OrderReconciler) dropOrphan(ctx context.Context, run *orderRun) outcome {
	request, err := r.requestOf(ctx, r.APIReader, run.order)
	if err != nil {
		return failed(err)
	}
	if request != nil {
		return rest(time.Second) // the cache is behind
	}
	precondition := client.Preconditions{UID: &run.order.UID, ResourceVersion: &run.stored.ResourceVersion}
	if err := r.Delete(ctx, run.stored, precondition); err != nil {
		return failed(err)
	}
	return rest(time.Second)
}

// requestOf returns the order's request, or nil if it is gone, even if another one has its name.
func (r *OrderReconciler) requestOf(ctx context.Context, from client.Reader, order *v1alpha1.AliyunOrder) (*cmapi.CertificateRequest, error) {
	request := &cmapi.CertificateRequest{}
	err := from.Get(ctx, types.NamespacedName{Namespace: order.Namespace, Name: order.Spec.RequestRef.Name}, request)
	if apierrors.IsNotFound(err) || err == nil && request.UID != order.Spec.RequestRef.UID {
		return nil, nil
	}
	return request, err
}

// wanted compares the order with its request. Nothing of either can change, so a difference is forgery or a mistake.
func wanted(order *v1alpha1.AliyunOrder, request *cmapi.CertificateRequest) outcome {
	ref := request.Spec.IssuerRef
	switch {
	case isFinished(request), cmutil.CertificateRequestIsDenied(request):
		return fail(v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q is denied or finished and wants no certificate any more", request.Name))
	case request.DeletionTimestamp != nil:
		return stall(holdLongest, v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q is being deleted", request.Name))
	case !bytes.Equal(request.Spec.Request, order.Spec.Request),
		ref.Group != v1alpha1.Group, ref.Kind != order.Spec.IssuerRef.Kind, ref.Name != order.Spec.IssuerRef.Name:
		return fail(v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q asks for something else than this AliyunOrder: delete the AliyunOrder", request.Name))
	case !cmutil.CertificateRequestIsApproved(request):
		return stall(holdLongest, v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q is not approved: approve it", request.Name))
	}
	return proceed()
}

// keepFinalizer puts the finalizer back that somebody took away: without it a purchase could be lost.
func (r *OrderReconciler) keepFinalizer(ctx context.Context, run *orderRun) outcome {
	if controllerutil.ContainsFinalizer(run.order, v1alpha1.OrderFinalizer) {
		return proceed()
	}
	next := run.stored.DeepCopy()
	controllerutil.AddFinalizer(next, v1alpha1.OrderFinalizer)
	if err := r.Patch(ctx, next, client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return failed(err)
	}
	run.written(next)
	return proceed()
}

func (r *OrderReconciler) readyIssuer(ctx context.Context, run *orderRun) outcome {
	ref := run.order.Spec.IssuerRef
	issuer, err := getIssuer(ctx, r.Client, run.order.Namespace, ref)
	switch {
	case apierrors.IsNotFound(err):
		return stall(0, v1alpha1.ReasonIssuerNotFound, issuerNotFound(run.order.Namespace, ref))
	case err != nil:
		return failed(err)
	}
	if message := issuerNotReady(issuer); message != "" && !mayTryAgain(issuer) {
		return stall(0, v1alpha1.ReasonIssuerNotReady, message)
	}
	why, err := notAllowed(ctx, r.APIReader, issuer, run.order.Namespace, run.order.Spec.DNSNames)
	switch {
	case err != nil:
		return failed(err)
	case why != "":
		return fail(v1alpha1.ReasonNotAllowed, why)
	}
	if err := r.Remote.mayRoute(orderSolver(run, r.Remote.Secrets)); err != nil {
		reason, message := explain(err)
		return stall(holdLongest, reason, message+", and delete the CertificateRequest, for which nothing is ordered yet")
	}
	run.issuer = issuer
	return proceed()
}
