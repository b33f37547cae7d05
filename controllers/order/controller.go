// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"context"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunorders,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunorders/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler brings Orders to their end, phase by phase. Each phase is a type of its own that has what it needs.
type Reconciler struct {
	*kube
	*outside
	*memory

	*wrapping
	*guarding
	*inheriting
	*buying
	*observing
	*presenting
	*issuing

	isListed bool
}

// orderRun is what one run knows of its order.
type orderRun struct {
	// order is worked on, and stays the same object throughout the run; stored is what the API server has.
	order, stored *v1alpha1.AliyunOrder
	now           time.Time
	request       *cmapi.CertificateRequest
	issuer        v1alpha1.GenericIssuer
	// offer is what the order's source sells.
	offer source.Offer
	// session is the source at work for the order, or nil if it was not needed yet.
	session source.Session
	// seen is how this run found the order at its source, or nil if it has not asked.
	seen *source.Observation
	// try is the right to find out whether an exhausted supply has got certificates again, until it is used or given
	// back.
	try *try
	// orderedBefore is the id of an earlier CAS order with the same key, if the CA has refused this one, or empty.
	orderedBefore string
	// isOvertaken says that somebody else changed the Order during this run. What this run had found out is merged into
	// that change. What comes next is left to a run that begins with the change: the Order may be deleted by now, or
	// handed over to an heir that looks after the order at CAS.
	isOvertaken bool
	// endsSoon says that the Certificate of the request has a certificate already, which is in the last third of its
	// life.
	endsSoon bool
	// throttledSince is since when CAS has throttled every call for the order, or zero if it does not.
	throttledSince time.Time
	// note is what the status says beside the facts, such as what stands in DNS instead of the record.
	note string
}

// Reconcile moves one order as far as it goes now.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	order := &v1alpha1.AliyunOrder{}
	if err := r.Get(ctx, req.NamespacedName, order); err != nil {
		if apierrors.IsNotFound(err) {
			r.gone(ctx, req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.met(ctx, order)
	run := r.begin(order)
	for _, phase := range []phase{r.wrapUp, r.guard, r.inherit, r.submit, r.observe, r.validate, r.issue} {
		end := phase(ctx, run)
		if !end.endsRun() && run.isOvertaken {
			end = notYet(soon)
		}
		if end.endsRun() {
			return r.endRun(ctx, run, end)
		}
	}
	return r.endRun(ctx, run, wait(0))
}

// Returns a run that has done nothing yet.
func (r *Reconciler) begin(order *v1alpha1.AliyunOrder) *orderRun {
	return &orderRun{order: order.DeepCopy(), stored: order, now: r.Remote.Clock.Now(),
		offer: r.Sources.Offer(order.Spec.Source)}
}

// Returns the session of the order at its source, by the credentials of the order itself. Opens it once in a run.
func (r *outside) open(run *orderRun) (source.Session, error) {
	if run.session != nil {
		return run.session, nil
	}
	session, err := r.openBy(run, access.OfOrder(run.order), r.Remote.Secrets)
	run.session = session
	return session, err
}

func (r *outside) openBy(run *orderRun, by access.Reach, secrets access.SecretReader) (source.Session, error) {
	ask := source.Ask{Order: run.order, Now: run.now, Reach: by, Secrets: secrets}
	if run.request != nil {
		ask.RequestedAt = run.request.CreationTimestamp.Time
	}
	return r.Sources.Open(ask)
}

// Writes what the run has come to. If the API server refuses that as invalid, says so in the status: the order must not
// stop in silence.
func (r *Reconciler) endRun(ctx context.Context, run *orderRun, end outcome) (ctrl.Result, error) {
	result, err := r.finish(ctx, run, end)
	if apierrors.IsInvalid(err) {
		return r.tellRefusal(ctx, run, err)
	}
	return result, err
}

// finish writes once, and tells about it afterwards.
func (r *Reconciler) finish(ctx context.Context, run *orderRun, end outcome) (ctrl.Result, error) {
	switch end.kind {
	case outcomeNotYet:
		return ctrl.Result{RequeueAfter: end.after}, nil
	case outcomeError:
		return apiserver.Retry(ctx, run.order, end.err)
	case outcomeGiveUp:
		end.after = soon
		run.beginRelease(end.reason, end.message)
	}
	r.noteThrottle(run, end)
	run.conclude(end)
	before := run.stored
	if err := r.save(ctx, run); err != nil {
		return apiserver.Retry(ctx, run.order, err)
	}
	r.tell(before, run.order)
	return ctrl.Result{RequeueAfter: end.after}, nil
}

// Remembers since when CAS has throttled the calls for an order, so that the status can tell why it waits.
func (r *Reconciler) noteThrottle(run *orderRun, end outcome) {
	if !end.isThrottled {
		r.throttled.Delete(run.order.UID)
		return
	}
	since, _ := r.throttled.LoadOrStore(run.order.UID, run.now)
	run.throttledSince = since.(time.Time)
}

// soon is the delay of a run that follows at once, after its predecessor's write.
const soon = time.Millisecond

// timestamp is the run's time as the API server stores it, so that what was written equals what is read.
func (run *orderRun) timestamp() *metav1.Time {
	stamp := metav1.NewTime(run.now.Truncate(time.Second))
	return &stamp
}

// Returns how long the order has been in its state. Waits grow with that.
func (run *orderRun) stateAge() time.Duration {
	since := run.order.Status.StateSince
	if since == nil {
		return 0
	}
	return run.now.Sub(since.Time)
}
