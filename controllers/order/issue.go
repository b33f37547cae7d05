// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/book"
	"github.com/aliyun-issuer/aliyun-issuer/internal/chain"
)

// issuing is the phase issue.
type issuing struct {
	*kube
	*holding
}

// Takes the chain over. Holds the order if there is still no certificate after a while, or one with a wrong key, wrong
// names or wrong dates: a new order would cost money and might end alike.
func (r *issuing) issue(ctx context.Context, run *orderRun) outcome {
	order := run.order
	bundle, err := run.session.Chain(ctx, run.seen)
	if err != nil {
		return judge(err, run.stateAge())
	}
	certificates, err := chain.Usable(order.Spec.Request, bundle, order.Spec.DNSNames, run.now)
	if errors.Is(err, chain.ErrOtherKey) && order.Status.IsPresumed() {
		return r.disprove(ctx, run, fmt.Sprintf("CAS order %s was presumed to be this one's, and its certificate "+
			"has another key: it is left alone", order.Status.OrderID))
	}
	if err != nil && run.casStateAge() < unusableAfter(err) {
		return wait(pollDelay(run.casStateAge()))
	}
	if err != nil {
		if order.Status.UnusableSince == nil {
			order.Status.UnusableSince = run.timestamp()
		}
		return hold(holdLongest, v1alpha1.ReasonInvalidCertificate, fmt.Sprintf(
			"CAS order %s is issued, and its certificate cannot be used: %v. It is not ordered again by itself; ask "+
				"the support of Alibaba Cloud about the order, or delete the CertificateRequest to order anew",
			order.Status.OrderID, err))
	}
	if order.Status.IsPresumed() {
		order.Status.OrderIDBasis = v1alpha1.OrderIDByCertificate
	}
	order.Status.UnusableSince = nil
	run.take(certificates)
	return wait(soon)
}

// Writes a chain into the status.
func (run *orderRun) take(certificates []*x509.Certificate) {
	status := &run.order.Status
	status.Certificate, status.NotAfter = chain.Encode(certificates), &metav1.Time{Time: certificates[0].NotAfter}
	run.remark(certificates)
}

// Returns for how long CAS must have said that an order is issued before it is believed that its certificate cannot be
// used: whoever reads that may order anew. A certificate that is not there at all may take longer to come.
func unusableAfter(err error) time.Duration {
	if errors.Is(err, chain.ErrNoCertificate) {
		return certificateAfter
	}
	return endedAfter
}

// Lets go of a CAS order that was presumed to be this one's and is somebody else's, and goes on looking.
func (r *holding) disprove(ctx context.Context, run *orderRun, message string) outcome {
	if end := r.cleanUp(ctx, run); end.endsRun() {
		return end
	}
	r.Recorder.Eventf(run.order, nil, corev1.EventTypeWarning, "NotThisOrder", "Issue", "%s", message)
	book.LetGoOfID(&run.order.Status)
	return wait(soon)
}

// condition sets a condition of the order, at the time of the run.
func (run *orderRun) condition(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&run.order.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: run.order.Generation, LastTransitionTime: *run.timestamp(),
	})
}
