// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package request

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	cmutil "github.com/cert-manager/cert-manager/pkg/api/util"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	cmapply "github.com/cert-manager/cert-manager/pkg/client/applyconfigurations/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/orders"
)

// fieldManager owns what we write into requests.
const fieldManager = "aliyun-issuer"

// report is what a request is told.
type report struct {
	reason      string // of Ready; empty: nothing is written
	message     string
	isInvalid   bool
	certificate []byte
	after       time.Duration
}

func nothing() *report { return &report{} }

func pending(message string) *report {
	return &report{reason: cmapi.CertificateRequestReasonPending, message: message}
}

func ended(reason, message string) *report { return &report{reason: reason, message: message} }

func refused(err error) *report {
	return &report{reason: cmapi.CertificateRequestReasonFailed, message: fmt.Sprintf("%v. Nothing was ordered", err),
		isInvalid: true}
}

func (rep *report) again(after time.Duration) *report {
	rep.after = after
	return rep
}

// mirror says in the request what its Order says. It stays the same while the order is validated and reviewed: the
// Order tells the steps.
func mirror(order *v1alpha1.AliyunOrder, request *cmapi.CertificateRequest) *report {
	status := order.Status
	switch ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); {
	case order.Spec.RequestRef.UID != request.UID:
		return pending(fmt.Sprintf("the AliyunOrder %q belongs to another request: delete it", order.Name))
	case len(status.Certificate) > 0:
		return &report{reason: cmapi.CertificateRequestReasonIssued, message: issuedMessage(order),
			certificate: status.Certificate}
	case status.Release != nil && status.Release.Outcome != "" && ready != nil:
		return ended(cmapi.CertificateRequestReasonFailed, fmt.Sprintf("the AliyunOrder %q has failed: %s", order.Name,
			ready.Message))
	case status.Release != nil:
		return pending(fmt.Sprintf("the AliyunOrder %q is being given back", order.Name))
	case status.State == v1alpha1.OrderStateHeld && ready != nil:
		return pending(fmt.Sprintf("the AliyunOrder %q is held (%s): %s", order.Name, ready.Reason, ready.Message))
	case status.OrderID == "":
		return pending(fmt.Sprintf("the AliyunOrder %q is being submitted to CAS", order.Name))
	case orders.IsToPublish(order):
		return pending(orders.ToPublish(order))
	default:
		return pending(fmt.Sprintf("CAS order %s is under way: the AliyunOrder %q shows how far it is", status.OrderID,
			order.Name))
	}
}

func issuedMessage(order *v1alpha1.AliyunOrder) string {
	parts := []string{orders.IssuedBy(order.Status)}
	for _, kind := range []string{v1alpha1.ConditionNamesAdded, v1alpha1.ConditionNamesRespelled,
		v1alpha1.ConditionEndsWithTerm, v1alpha1.ConditionChainIncomplete} {
		if remark := meta.FindStatusCondition(order.Status.Conditions, kind); remark != nil {
			parts = append(parts, remark.Message)
		}
	}
	return strings.Join(parts, "; ")
}

// Writes a report into the request, if it is news, in one write, and tells a new reason in an event afterwards. The
// write names everything of ours, since an apply removes what it leaves out. It also names the resourceVersion of the
// copy that was judged: the API server then refuses the write if the request has changed since, or was made again under
// the same name.
func (r *Reconciler) write(ctx context.Context, request *cmapi.CertificateRequest,
	rep *report) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: rep.after}
	was := readyCondition(request)
	isNews := was == nil || was.Reason != rep.reason || was.Message != rep.message ||
		!bytes.Equal(request.Status.Certificate, rep.certificate)
	if rep.reason == "" || !isNews {
		return result, nil
	}
	apply := cmapply.CertificateRequest(request.Name, request.Namespace).
		WithResourceVersion(request.ResourceVersion).WithStatus(r.statusOf(request, rep))
	if err := r.Status().Apply(ctx, apply, client.ForceOwnership, client.FieldOwner(fieldManager)); err != nil {
		return apiserver.Retry(ctx, request, err)
	}
	if was == nil || was.Reason != rep.reason {
		r.tell(request, rep)
	}
	return result, nil
}

func (r *Reconciler) statusOf(request *cmapi.CertificateRequest,
	rep *report) *cmapply.CertificateRequestStatusApplyConfiguration {
	now := metav1.NewTime(r.Clock.Now().Truncate(time.Second))
	isReady := cmmeta.ConditionFalse
	if rep.reason == cmapi.CertificateRequestReasonIssued {
		isReady = cmmeta.ConditionTrue
	}
	since := now
	if was := readyCondition(request); was != nil && was.Status == isReady && was.LastTransitionTime != nil {
		since = *was.LastTransitionTime
	}
	status := cmapply.CertificateRequestStatus().WithConditions(cmapply.CertificateRequestCondition().
		WithType(cmapi.CertificateRequestConditionReady).WithStatus(isReady).
		WithLastTransitionTime(since).WithReason(rep.reason).WithMessage(rep.message))
	if rep.isInvalid {
		status.WithConditions(cmapply.CertificateRequestCondition().
			WithType(cmapi.CertificateRequestConditionInvalidRequest).WithStatus(cmmeta.ConditionTrue).
			WithLastTransitionTime(now).WithReason("CannotBeOrdered").WithMessage(rep.message))
	}
	switch rep.reason {
	case cmapi.CertificateRequestReasonFailed, cmapi.CertificateRequestReasonDenied:
		status.WithFailureTime(now)
	case cmapi.CertificateRequestReasonIssued:
		status.WithCertificate(rep.certificate...)
	}
	return status
}

func (r *Reconciler) tell(request *cmapi.CertificateRequest, rep *report) {
	kind := corev1.EventTypeNormal
	if rep.reason == cmapi.CertificateRequestReasonFailed || rep.reason == cmapi.CertificateRequestReasonDenied {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(request, nil, kind, rep.reason, "Order", "%s", apiserver.Bounded(rep.message, 1024))
}

func readyCondition(request *cmapi.CertificateRequest) *cmapi.CertificateRequestCondition {
	return cmutil.GetCertificateRequestCondition(request, cmapi.CertificateRequestConditionReady)
}

// Returns the name by which approvers know issuers of the kind: <plural>.<group>.
func signer(kind string) string {
	if kind == v1alpha1.AliyunClusterIssuerKind {
		return "aliyunclusterissuers." + v1alpha1.Group
	}
	return "aliyunissuers." + v1alpha1.Group
}

func patience() string { return fmt.Sprintf("%d minutes", int(approvalPatience.Minutes())) }
