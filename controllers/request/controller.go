// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package request lets a CertificateRequest through to an AliyunOrder, and shows in the request what its Order says. It
// has gates and a mirror. A request that is denied, finished, not approved, or that CAS could never serve ends at a
// gate, with a message that says what to do. One that passes gets an AliyunOrder, and from then on the request shows
// what its Order says. This package never edits or deletes Orders.
package request

import (
	"context"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// +kubebuilder:rbac:groups=cert-manager.io,resources=certificaterequests,verbs=get;list;watch
// +kubebuilder:rbac:groups=cert-manager.io,resources=certificaterequests/status,verbs=patch
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunorders,verbs=create
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers;aliyunclusterissuers,verbs=list;watch

// Reconciler lets requests through to an Order, and shows in the request what the Order says. All
// fields are required.
type Reconciler struct {
	client.Client
	// APIReader reads namespaces, of which nothing is cached.
	APIReader client.Reader
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	Fresh     *orders.Fresh
	// Sources are who sells.
	Sources source.Registry
	// ClusterResourceNamespace is where the Secrets of cluster issuers are.
	ClusterResourceNamespace string
	// Listed says that the installation serves listed namespaces, and so no cluster issuers.
	Listed bool
}

// requestRun is what one run knows of its request.
type requestRun struct {
	request *cmapi.CertificateRequest
	asks    csr.Asks
	issuer  v1alpha1.GenericIssuer // nil if it does not exist
	solvers []v1alpha1.OrderSolver
}

// Reconcile passes a request through the gates, in the order of cert-manager's own controller. The first that has
// something to say ends the run with it.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	request := &cmapi.CertificateRequest{}
	if err := r.Get(ctx, req.NamespacedName, request); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if request.Spec.IssuerRef.Group != v1alpha1.Group || request.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	run := &requestRun{request: request}
	for _, gate := range []gate{r.delivered, r.denied, r.finished, r.kind, r.approved, r.ordered, r.restored, r.named,
		r.fits, r.issuerReady, r.fitsIssuer, r.solvable, r.createOrder} {
		report, err := gate(ctx, run)
		if err != nil {
			return apiserver.Retry(ctx, request, err)
		}
		if report != nil {
			return r.write(ctx, request, report)
		}
	}
	return ctrl.Result{}, nil
}
