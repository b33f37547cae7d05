// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunorders,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunorders/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// OrderReconciler brings Orders to their end. All fields are required.
type OrderReconciler struct {
	client.Client
	// APIReader reads past the cache, where a stale answer could cost an order.
	APIReader   client.Reader
	Recorder    events.EventRecorder
	Remote      *Remote
	Submissions *Submissions
	// Cluster tells the orders of this cluster from those of others on the same account, in a tag.
	Cluster string
	// Fresh knows the Orders that this process made.
	Fresh *FreshOrders
	// Listed says that the installation serves listed namespaces, and so no cluster issuers.
	Listed bool
	// Settle is how long after a submission without an answer nothing is bought again. It is at least MinSettle.
	Settle time.Duration

	// known is the UID of each Order that this process has met, by its name.
	known   sync.Map
	pace    pace
	efforts efforts
	spent   spending
	book    book
	// spendingLocks serialise the changes to an issuer's record of what was ordered.
	spendingLocks spendingLocks
	// firstSeen is when this process first saw a submission without an answer, by the UID of its Order.
	firstSeen sync.Map
	// accepted holds ids that CAS gave and the API server did not take yet, by the UID of their Order.
	accepted sync.Map
}

// orderRun is what one run knows of its order.
type orderRun struct {
	// order is worked on, and stays the same object throughout the run; stored is what the API server has.
	order, stored *v1alpha1.AliyunOrder
	now           time.Time
	request       *cmapi.CertificateRequest
	issuer        v1alpha1.GenericIssuer
	// described is what CAS said in this run, or nil if it was not asked.
	described *cas.Order
	calls     *cas.Client
	// endsSoon says that the Certificate of the request has one in the last third of its life.
	endsSoon bool
	// note is what the status says beside the facts, such as what stands in DNS instead of the record.
	note string
}

// Reconcile moves one order as far as it goes now.
func (r *OrderReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	order := &v1alpha1.AliyunOrder{}
	if err := r.Get(ctx, req.NamespacedName, order); err != nil {
		if apierrors.IsNotFound(err) {
			r.gone(ctx, req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.met(ctx, order)
	run := &orderRun{order: order.DeepCopy(), stored: order, now: r.Remote.Clock.Now()}
	for _, phase := range []phase{r.finalize, r.guard, r.inherit, r.submit, r.observe, r.validate, r.issue} {
		if end := phase(ctx, run); end.kind != outcomeProceed {
			return r.settle(ctx, run, end)
		}
	}
	return r.settle(ctx, run, wait(0))
}

// settle writes what the run has come to. What the API server refuses to take must not stop the order in silence.
func (r *OrderReconciler) settle(ctx context.Context, run *orderRun, end outcome) (ctrl.Result, error) {
	result, err := r.finish(ctx, run, end)
	if apierrors.IsInvalid(err) {
		return r.tellRefusal(ctx, run, err)
	}
	return result, err
}

// finish writes once, and tells about it afterwards.
func (r *OrderReconciler) finish(ctx context.Context, run *orderRun, end outcome) (ctrl.Result, error) {
	switch end.kind {
	case outcomeRest:
		return ctrl.Result{RequeueAfter: end.after}, nil
	case outcomeError:
		return retry(run.order, end.err)
	case outcomeFail:
		end.after = soon
		run.beginRelease(end.reason, end.message)
	}
	run.conclude(end)
	before := run.stored
	if err := r.save(ctx, run); err != nil {
		return retry(run.order, err)
	}
	r.tell(before, run.order)
	return ctrl.Result{RequeueAfter: end.after}, nil
}

// soon is the delay of a run that follows at once, after its predecessor's write.
const soon = time.Millisecond

// timestamp is the run's time as the API server stores it, so that what was written equals what is read.
func (run *orderRun) timestamp() *metav1.Time {
	stamp := metav1.NewTime(run.now.Truncate(time.Second))
	return &stamp
}

// stateAge is how long the order has been in its state, which waits grow with.
func (run *orderRun) stateAge() time.Duration {
	since := run.order.Status.StateSince
	if since == nil {
		return 0
	}
	return run.now.Sub(since.Time)
}

// secrets is the namespace of the Secrets that the order's issuer names.
func (run *orderRun) secrets() string { return run.order.Spec.SecretNamespace }
