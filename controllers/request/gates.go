// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"context"
	"fmt"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
	"github.com/aliyun-issuer/aliyun-issuer/internal/requests"
)

// approvalPatience is how long an approver may take before the request says that there seems to be none. lookAgain is
// how long a request waits if perhaps no watch wakes it before.
const (
	approvalPatience = 5 * time.Minute
	lookAgain        = 30 * time.Second
)

// A gate returns what the request is told, or nil to let it pass.
type gate func(ctx context.Context, run *requestRun) (*report, error)

// Keeps a certificate in the request, whatever somebody has made of the conditions: it may be the only copy of what was
// paid for, and an apply without it would remove it.
func (r *Reconciler) delivered(_ context.Context, run *requestRun) (*report, error) {
	request := run.request
	switch {
	case len(request.Status.Certificate) == 0:
		return nil, nil
	case requests.IsFinished(request) || cmutil.CertificateRequestIsDenied(request):
		return nothing(), nil
	default:
		return &report{
			reason: cmapi.CertificateRequestReasonIssued, message: "the certificate was delivered before",
			certificate: request.Status.Certificate,
		}, nil
	}
}

// denied reads the condition itself: a request that is denied before it was approved bears no other one.
func (r *Reconciler) denied(_ context.Context, run *requestRun) (*report, error) {
	if cmutil.CertificateRequestIsDenied(run.request) && !requests.IsFinished(run.request) {
		return ended(cmapi.CertificateRequestReasonDenied, "the request was denied, and nothing is ordered for it"), nil
	}
	return nil, nil
}

func (r *Reconciler) finished(_ context.Context, run *requestRun) (*report, error) {
	if requests.IsFinished(run.request) {
		return nothing(), nil
	}
	return nil, nil
}

func (r *Reconciler) kind(_ context.Context, run *requestRun) (*report, error) {
	ref := run.request.Spec.IssuerRef
	if ref.Kind == v1alpha1.AliyunClusterIssuerKind && r.Listed {
		return pending("this installation of aliyun-issuer serves listed namespaces (chart value namespaces), and " +
			"no AliyunClusterIssuer: name an AliyunIssuer in issuerRef"), nil
	}
	if issuers.New(ref.Kind) == nil {
		return pending(fmt.Sprintf("issuerRef names the kind %q, and the group %s has AliyunIssuer and "+
			"AliyunClusterIssuer: correct issuerRef.kind", ref.Kind, v1alpha1.Group)), nil
	}
	return nil, nil
}

func (r *Reconciler) approved(_ context.Context, run *requestRun) (*report, error) {
	if cmutil.CertificateRequestIsApproved(run.request) {
		return nil, nil
	}
	age := r.Clock.Since(run.request.CreationTimestamp.Time)
	if age < approvalPatience {
		return nothing().again(approvalPatience - age), nil
	}
	ref := run.request.Spec.IssuerRef
	return pending(fmt.Sprintf("nobody has approved the request for %s. If nobody has to, cert-manager's "+
		"ServiceAccount lacks the verb approve on signers.cert-manager.io %q: the Helm chart grants it with "+
		"approver.enabled", patience(), signer(ref.Kind)+"/*")), nil
}

// ordered shows what the Order says, whatever has become of the issuer since: what is bought is delivered.
func (r *Reconciler) ordered(ctx context.Context, run *requestRun) (*report, error) {
	order := &v1alpha1.AliyunOrder{}
	key := client.ObjectKey{Namespace: run.request.Namespace, Name: requests.OrderName(run.request)}
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
func (r *Reconciler) restored(_ context.Context, run *requestRun) (*report, error) {
	request := run.request
	if metav1.GetControllerOf(request) != nil || request.Annotations[cmapi.CertificateNameKey] == "" &&
		request.Labels[veleroRestore] == "" {
		return nil, nil
	}
	return pending(fmt.Sprintf("%s: a backup brought this request back, and what it asks for may have been bought "+
		"before: delete it. "+
		"cert-manager makes a new one if its Certificate needs one", v1alpha1.ReasonRestoredRequest)), nil
}

// named reads the issuer, once for all that decide by it: it may come to be meanwhile.
func (r *Reconciler) named(ctx context.Context, run *requestRun) (*report, error) {
	issuer, err := issuers.Get(ctx, r.Client, run.request.Namespace, requests.IssuerReference(run.request))
	if err == nil {
		run.issuer = issuer
	}
	return nil, client.IgnoreNotFound(err)
}

// Refuses what no issuer could serve, even if the issuer does not exist. If it exists, the refusal also tells what it
// would refuse next.
func (r *Reconciler) fits(ctx context.Context, run *requestRun) (*report, error) {
	var sells csr.Sells
	needsCommonName := false // that is for the issuer to say
	if run.issuer != nil {
		offer := r.Sources.Offer(run.issuer.GetSpec().Source)
		sells, needsCommonName = offer.Sells, offer.NeedsCommonName()
	}
	asks, against := csr.Preflight(run.request, sells, needsCommonName)
	if len(against) == 0 {
		run.asks = asks
		return nil, nil
	}
	if run.issuer != nil && asks.Key != "" {
		more, err := r.against(ctx, run.request, run.issuer, asks)
		if err != nil {
			return nil, err
		}
		against.AddAll(more)
	}
	return refused(against.Err()), nil
}

func (r *Reconciler) issuerReady(_ context.Context, run *requestRun) (*report, error) {
	if run.issuer == nil {
		return pending(issuers.NotFound(run.request.Namespace, requests.IssuerReference(run.request))), nil
	}
	if message := issuers.WhyNotReady(run.issuer); message != "" {
		return pending(message), nil
	}
	return nil, nil
}

// Refuses, before money is spent, what the operator of the issuer does not want to pay for, and what its product does
// not serve.
func (r *Reconciler) fitsIssuer(ctx context.Context, run *requestRun) (*report, error) {
	against, err := r.against(ctx, run.request, run.issuer, run.asks)
	if err != nil || len(against) == 0 {
		return nil, err
	}
	return refused(against.Err()), nil
}

// Returns what speaks against a request with this issuer.
func (r *Reconciler) against(ctx context.Context, request *cmapi.CertificateRequest,
	issuer v1alpha1.GenericIssuer, asks csr.Asks) (csr.Reasons, error) {
	var against csr.Reasons
	why, err := issuers.WhyNotAllowed(ctx, r.APIReader, issuer, request.Namespace, asks.DNSNames)
	if err != nil {
		return nil, err
	}
	if why != "" {
		against.Add("%s", why)
	}
	against.AddAll(r.Sources.Offer(issuer.GetSpec().Source).Fits(asks))
	return against, nil
}

// Holds a request while the issuer has no solver for one of its names.
func (r *Reconciler) solvable(_ context.Context, run *requestRun) (*report, error) {
	solvers, ref := run.issuer.GetSpec().Solvers, requests.IssuerReference(run.request)
	proved := r.Sources.Offer(run.issuer.GetSpec().Source).Proves(run.asks.DNSNames)
	chosen, unmatched := chooseSolvers(solvers, run.asks.DNSNames, proved)
	if unmatched == nil {
		run.solvers = chosen
		return nil, nil
	}
	return pending(unmatched.message(fmt.Sprintf("the %s %q", ref.Kind, ref.Name))).again(lookAgain), nil
}

// createOrder makes the Order. Its name is the request's own, so that a stale cache cannot make a second one.
func (r *Reconciler) createOrder(ctx context.Context, run *requestRun) (*report, error) {
	order := newOrder(run, r.ClusterResourceNamespace)
	err := r.Create(ctx, order)
	if apierrors.IsAlreadyExists(err) {
		return nothing().again(lookAgain), nil // the cache is behind: its event leads to the mirror
	}
	if apierrors.IsForbidden(err) {
		return pending(fmt.Sprintf("the API server does not let the controller create an AliyunOrder here: another "+
			"installation of aliyun-issuer may serve the namespace, or a policy is in the way; let one installation "+
			"serve it: %s",
			apiserver.Bounded(err.Error(), 1024))).again(
			lookAgain), nil
	}
	if err != nil {
		return nil, err
	}
	if readyCondition(run.request) == nil && r.Clock.Since(run.request.CreationTimestamp.Time) < orders.Freshness {
		r.Fresh.Add(order.UID, r.Clock.Now())
	}
	r.wishes(run.request, run.asks)
	return mirror(order, run.request), nil
}
