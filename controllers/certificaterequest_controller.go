// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// +kubebuilder:rbac:groups=cert-manager.io,resources=certificaterequests,verbs=get;list;watch
// +kubebuilder:rbac:groups=cert-manager.io,resources=certificaterequests/status,verbs=patch
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunorders,verbs=create
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers;aliyunclusterissuers,verbs=list;watch

// CertificateRequestReconciler lets requests through to an Order, and shows in the request what the Order says. All
// fields are required.
type CertificateRequestReconciler struct {
	client.Client
	// APIReader reads namespaces, of which nothing is cached.
	APIReader client.Reader
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	Fresh     *FreshOrders
	// ClusterResourceNamespace is where the Secrets of cluster issuers are.
	ClusterResourceNamespace string
	// Listed says that the installation serves listed namespaces, and so no cluster issuers.
	Listed bool
}

// requestRun is what one run knows of its request.
type requestRun struct {
	request *cmapi.CertificateRequest
	asks    signingRequest
	issuer  v1alpha1.GenericIssuer
	solver  *v1alpha1.Solver
}

// Reconcile passes a request through the gates, in the order of cert-manager's own controller. The first that has
// something to say ends the run with it.
func (r *CertificateRequestReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	request := &cmapi.CertificateRequest{}
	if err := r.Get(ctx, req.NamespacedName, request); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if request.Spec.IssuerRef.Group != v1alpha1.Group || request.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	run := &requestRun{request: request}
	for _, gate := range []gate{r.delivered, r.denied, r.finished, r.kind, r.approved, r.ordered, r.restored, r.fits, r.issuerReady, r.allowed, r.fitsIssuer, r.solvable, r.order} {
		report, err := gate(ctx, run)
		if err != nil {
			return retry(request, err)
		}
		if report != nil {
			return r.write(ctx, request, report)
		}
	}
	return ctrl.Result{}, nil
}

// A gate returns what the request is told, or nil to let it pass.
type gate func(ctx context.Context, run *requestRun) (*report, error)

// delivered keeps a certificate, whatever somebody has made of the conditions: it may be the only copy of what was
// paid for, and an apply that does not name it removes it.
func (r *CertificateRequestReconciler) delivered(_ context.Context, run *requestRun) (*report, error) {
	request := run.request
	switch {
	case len(request.Status.Certificate) == 0:
		return nil, nil
	case isFinished(request) || cmutil.CertificateRequestIsDenied(request):
		return nothing(), nil
	default:
		return &report{
			reason: cmapi.CertificateRequestReasonIssued, message: "the certificate was delivered before", certificate: request.Status.Certificate,
		}, nil
	}
}

// denied reads the condition itself: a request that is denied before it was approved bears no other one.
func (r *CertificateRequestReconciler) denied(_ context.Context, run *requestRun) (*report, error) {
	if cmutil.CertificateRequestIsDenied(run.request) && !isFinished(run.request) {
		return ended(cmapi.CertificateRequestReasonDenied, "the request was denied, and nothing is ordered for it"), nil
	}
	return nil, nil
}

func (r *CertificateRequestReconciler) finished(_ context.Context, run *requestRun) (*report, error) {
	if isFinished(run.request) {
		return nothing(), nil
	}
	return nil, nil
}

func (r *CertificateRequestReconciler) kind(_ context.Context, run *requestRun) (*report, error) {
	ref := run.request.Spec.IssuerRef
	if ref.Kind == v1alpha1.AliyunClusterIssuerKind && r.Listed {
		return pending("this installation of aliyun-issuer serves listed namespaces (chart value namespaces), and no AliyunClusterIssuer: name an AliyunIssuer in issuerRef"), nil
	}
	if newIssuer(ref.Kind) == nil {
		return pending(fmt.Sprintf("issuerRef names the kind %q, and the group %s has AliyunIssuer and AliyunClusterIssuer: correct issuerRef.kind", ref.Kind, v1alpha1.Group)), nil
	}
	return nil, nil
}

func (r *CertificateRequestReconciler) approved(_ context.Context, run *requestRun) (*report, error) {
	if cmutil.CertificateRequestIsApproved(run.request) {
		return nil, nil
	}
	age := r.Clock.Since(run.request.CreationTimestamp.Time)
	if age < approvalPatience {
		return nothing().again(approvalPatience - age), nil
	}
	ref := run.request.Spec.IssuerRef
	return pending(fmt.Sprintf("nobody has approved the request for %s. If nobody has to, cert-manager's ServiceAccount lacks the verb approve on signers.cert-manager.io %q: "+
		"the Helm chart grants it with approver.enabled", patience(), signer(ref.Kind)+"/*")), nil
}

// ordered shows what the Order says, whatever has become of the issuer since: what is bought is delivered.
func (r *CertificateRequestReconciler) ordered(ctx context.Context, run *requestRun) (*report, error) {
	order := &v1alpha1.AliyunOrder{}
	key := client.ObjectKey{Namespace: run.request.Namespace, Name: orderName(run.request)}
	switch err := r.Get(ctx, key, order); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return mirror(order, run.request), nil
}

// veleroRestore is the label that Velero puts on what it restores.
const veleroRestore = "velero.io/restore-name"

// restored holds a request that a backup brought back: it has lost its owner, and what it asks for may have been
// bought long ago. On an owned request the label proves nothing, since cert-manager copies a Certificate's labels.
func (r *CertificateRequestReconciler) restored(_ context.Context, run *requestRun) (*report, error) {
	request := run.request
	if metav1.GetControllerOf(request) != nil || request.Annotations[cmapi.CertificateNameKey] == "" && request.Labels[veleroRestore] == "" {
		return nil, nil
	}
	return pending(fmt.Sprintf("%s: a backup brought this request back, and what it asks for may have been bought before: delete it. "+
		"cert-manager makes a new one if its Certificate needs one", v1alpha1.ReasonRestoredRequest)), nil
}

func (r *CertificateRequestReconciler) fits(_ context.Context, run *requestRun) (*report, error) {
	asks, err := preflight(run.request.Spec.Request, run.request.Spec.IsCA)
	if err != nil {
		return refused(err), nil
	}
	run.asks = asks
	return nil, nil
}

func (r *CertificateRequestReconciler) issuerReady(ctx context.Context, run *requestRun) (*report, error) {
	ref := issuerReference(run.request)
	issuer, err := getIssuer(ctx, r.Client, run.request.Namespace, ref)
	switch {
	case apierrors.IsNotFound(err):
		return pending(issuerNotFound(run.request.Namespace, ref)), nil
	case err != nil:
		return nil, err
	}
	if message := issuerNotReady(issuer); message != "" {
		return pending(message), nil
	}
	run.issuer = issuer
	return nil, nil
}

// allowed refuses before the spend what the operator of the issuer does not want to pay for.
func (r *CertificateRequestReconciler) allowed(ctx context.Context, run *requestRun) (*report, error) {
	why, err := notAllowed(ctx, r.APIReader, run.issuer, run.request.Namespace, run.asks.dnsNames)
	if err != nil || why == "" {
		return nil, err
	}
	return refused(errors.New(why)), nil
}

func (r *CertificateRequestReconciler) fitsIssuer(_ context.Context, run *requestRun) (*report, error) {
	if err := preflightFor(run.asks, run.issuer.GetSpec().Source.ResourcePlan); err != nil {
		return refused(err), nil
	}
	return nil, nil
}

// solvable holds a request that no solver is for: one that is added to the issuer serves it.
func (r *CertificateRequestReconciler) solvable(_ context.Context, run *requestRun) (*report, error) {
	solvers, ref := run.issuer.GetSpec().Solvers, issuerReference(run.request)
	if run.solver = chooseSolver(solvers, run.asks); run.solver != nil {
		return nil, nil
	}
	message := fmt.Sprintf("no solver of the %s %q matches %q: add one for it to spec.solvers, or one without a selector", ref.Kind, ref.Name, run.asks.commonName)
	if why := needsDNS(run.asks); why != "" && slices.ContainsFunc(solvers, isFile) {
		message = fmt.Sprintf("no DNS solver of the %s %q matches %q, and %s: add one to spec.solvers", ref.Kind, ref.Name, run.asks.commonName, why)
	}
	return pending(message).again(holdFirst), nil
}

// order makes the Order. Its name is the request's own, so that a stale cache cannot make a second one.
func (r *CertificateRequestReconciler) order(ctx context.Context, run *requestRun) (*report, error) {
	order := newOrder(run, r.ClusterResourceNamespace)
	err := r.Create(ctx, order)
	if apierrors.IsAlreadyExists(err) {
		return nothing().again(holdFirst), nil // the cache is behind: its event leads to the mirror
	}
	if apierrors.IsForbidden(err) {
		return pending(fmt.Sprintf("the API server does not let the controller create an AliyunOrder here: another installation of aliyun-issuer may serve the namespace, "+
			"or a policy is in the way; let one installation serve it: %s", bounded(err.Error(), 1024))).again(holdFirst), nil
	}
	if err != nil {
		return nil, err
	}
	if readyCondition(run.request) == nil && r.Clock.Since(run.request.CreationTimestamp.Time) < freshness {
		r.Fresh.add(order.UID, r.Clock.Now())
	}
	r.wishes(run.request, run.asks)
	return mirror(order, run.request), nil
}
