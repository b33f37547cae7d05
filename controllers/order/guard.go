// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

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
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/requests"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// guarding is the phase guard.
type guarding struct {
	*kube
	*outside

	pace *pace
}

// Lets an Order go on only for the request that it was made for, and buy only while its issuer is ready. An Order that
// may have bought goes on without its issuer: its order is paid for.
func (r *guarding) guard(ctx context.Context, run *orderRun) outcome {
	request, err := r.requestOf(ctx, r.Client, run.order)
	if err != nil {
		return apiError(err)
	}
	if request == nil {
		return r.dropOrphan(ctx, run)
	}
	run.request = request
	if end := wanted(run.order, request); end.endsRun() {
		return end
	}
	if book.MayHaveOrder(run.order) {
		return proceed()
	}
	if end := r.keepFinalizer(ctx, run); end.endsRun() {
		return end
	}
	return r.readyIssuer(ctx, run)
}

// Deletes an Order whose request was deleted without it. wrapUp then gives back what was ordered.
func (r *kube) dropOrphan(ctx context.Context, run *orderRun) outcome {
	request, err := r.requestOf(ctx, r.APIReader, run.order)
	if err != nil {
		return apiError(err)
	}
	if request != nil {
		return notYet(time.Second) // the cache is behind
	}
	precondition := client.Preconditions{UID: &run.order.UID, ResourceVersion: &run.stored.ResourceVersion}
	if err := r.Delete(ctx, run.stored, precondition); err != nil {
		return apiError(err)
	}
	return notYet(time.Second)
}

// Returns the order's request, or nil if it is gone, even if another request has its name by now.
func (r *kube) requestOf(ctx context.Context, from client.Reader,
	order *v1alpha1.AliyunOrder) (*cmapi.CertificateRequest, error) {
	request := &cmapi.CertificateRequest{}
	err := from.Get(ctx, types.NamespacedName{Namespace: order.Namespace, Name: order.Spec.RequestRef.Name}, request)
	if apierrors.IsNotFound(err) || err == nil && request.UID != order.Spec.RequestRef.UID {
		return nil, nil
	}
	return request, err
}

// Compares the order with its request. Neither spec can change, so a difference is forgery or a mistake.
func wanted(order *v1alpha1.AliyunOrder, request *cmapi.CertificateRequest) outcome {
	ref := request.Spec.IssuerRef
	switch {
	case requests.IsFinished(request), cmutil.CertificateRequestIsDenied(request):
		return giveUp(v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q is denied or finished "+
			"and wants no certificate any more", request.Name))
	case request.DeletionTimestamp != nil:
		return hold(holdLongest, v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q is "+
			"being deleted", request.Name))
	case !bytes.Equal(request.Spec.Request, order.Spec.Request),
		ref.Group != v1alpha1.Group, ref.Kind != order.Spec.IssuerRef.Kind, ref.Name != order.Spec.IssuerRef.Name:
		return giveUp(v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q was changed after this "+
			"AliyunOrder had been made for it: make another request instead", request.Name))
	case !cmutil.CertificateRequestIsApproved(request):
		return hold(holdLongest, v1alpha1.ReasonRequestMismatch, fmt.Sprintf("the CertificateRequest %q is not "+
			"approved: approve it", request.Name))
	}
	return proceed()
}

// Puts the finalizer back if somebody took it away: without it, a purchase could be lost.
func (r *kube) keepFinalizer(ctx context.Context, run *orderRun) outcome {
	if controllerutil.ContainsFinalizer(run.order, v1alpha1.OrderFinalizer) {
		return proceed()
	}
	next := run.stored.DeepCopy()
	controllerutil.AddFinalizer(next, v1alpha1.OrderFinalizer)
	if err := r.Patch(
		ctx, next, client.MergeFromWithOptions(run.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return apiError(err)
	}
	run.written(next)
	return proceed()
}

func (r *guarding) readyIssuer(ctx context.Context, run *orderRun) outcome {
	ref := run.order.Spec.IssuerRef
	issuer, err := issuers.Get(ctx, r.Client, run.order.Namespace, ref)
	switch {
	case apierrors.IsNotFound(err):
		return hold(0, v1alpha1.ReasonIssuerNotFound, issuers.NotFound(run.order.Namespace, ref))
	case err != nil:
		return apiError(err)
	}
	if message := issuers.WhyNotReady(issuer); message != "" && !issuers.MayTryAgain(issuer) {
		r.pace.next(run.order.UID, activitySubmit, run.now) // once the issuer is ready, nothing else is waited for
		return hold(0, v1alpha1.ReasonIssuerNotReady, message)
	}
	why, err := issuers.WhyNotAllowed(ctx, r.APIReader, issuer, run.order.Namespace, run.order.Spec.DNSNames)
	switch {
	case err != nil:
		return apiError(err)
	case why != "":
		return giveUp(v1alpha1.ReasonNotAllowed, why)
	}
	for _, chosen := range run.order.Spec.Solvers {
		if err := r.Remote.MayRoute(useOf(run, chosen.Solver, chosen.DNSNames, r.Remote.Secrets)); err != nil {
			reason, message := verdict.Explain(err)
			return hold(holdLongest, reason, message+", and delete the CertificateRequest, for which nothing is "+
				"ordered yet")
		}
	}
	run.issuer = issuer
	return proceed()
}
