// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package issuer says whether an issuer can be ordered from. It calls verbs that read; which writing verbs are not
// permitted, it learns from the Orders that were refused (docs/design/0004-what-a-refused-order-does-to-its-issuer.md).
package issuer

import (
	"context"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	apiwait "k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/apiserver"
	"github.com/aliyun-issuer/aliyun-issuer/internal/issuers"
	"github.com/aliyun-issuer/aliyun-issuer/internal/source"
)

// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers/status;aliyunclusterissuers/status,verbs=patch

const (
	// issuerRecheck is how often an issuer is checked, give or take a fifth, if nothing is urgent (recheckAfter).
	issuerRecheck = 10 * time.Minute
	// secretRecheck is how often the Secrets of an issuer that is not ready are looked at, which costs no call to CAS.
	// It is also the shortest time between two checks.
	secretRecheck = 30 * time.Second
)

// Reconciler says whether an issuer can be ordered from. One type serves both kinds. All fields are required.
type Reconciler struct {
	client.Client
	Recorder events.EventRecorder
	Remote   *access.Remote
	// Sources are who sells.
	Sources source.Registry
	// Kind is AliyunIssuer or AliyunClusterIssuer.
	Kind string
	// ClusterResourceNamespace is where the Secrets of cluster issuers are.
	ClusterResourceNamespace string
	// CheckBound is how long one check may take. After that, it says what has not answered; conditions that were true
	// stay true.
	CheckBound time.Duration

	checks sync.Map // issuerCheck by name
}

// issuerCheck is what the last look at Alibaba Cloud was based on.
type issuerCheck struct {
	issuer     types.UID
	generation int64
	secrets    string
	refused    types.UID // of an order
	held       string    // what heldFor has found
	at         time.Time
	due        time.Time
}

// isSame says that nothing has changed that a check depends on.
func (c issuerCheck) isSame(other issuerCheck) bool {
	return c.generation == other.generation && c.secrets == other.secrets && c.refused == other.refused &&
		c.held == other.held
}

// Reconcile checks one issuer, if that is due or something that it depends on has changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	issuer := issuers.New(r.Kind)
	if err := r.Get(ctx, req.NamespacedName, issuer); err != nil {
		if apierrors.IsNotFound(err) {
			r.checks.Delete(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if issuer.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, nil
	}
	now := r.Remote.Clock.Now()
	orders := r.ordersOf(ctx, issuer)
	basis := issuerCheck{issuer: issuer.GetUID(), generation: issuer.GetGeneration(),
		secrets: r.secretVersions(ctx, issuer), held: heldFor(orders), at: now}
	if order := refusedOrder(orders); order != nil {
		basis.refused = order.UID
	}
	if wait := r.notDue(issuer, basis); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	before := issuer.DeepCopyObject().(v1alpha1.GenericIssuer)
	r.check(ctx, issuer)
	basis.due = now.Add(recheckAfter(issuer, basis.held))
	r.checks.Store(req.NamespacedName, basis)
	if err := r.save(ctx, before, issuer); err != nil {
		basis.generation = -1 // what was found out is lost: the next run may look again
		r.checks.Store(req.NamespacedName, basis)
		return apiserver.Retry(ctx, issuer, err)
	}
	return ctrl.Result{RequeueAfter: r.next(issuer, basis)}, nil
}

// Returns how long an issuer can rest, or zero. Between two checks lie at least 30 seconds, whatever changes.
func (r *Reconciler) notDue(issuer v1alpha1.GenericIssuer, basis issuerCheck) time.Duration {
	stored, _ := r.checks.Load(client.ObjectKeyFromObject(issuer))
	last, ok := stored.(issuerCheck)
	if !ok || last.issuer != basis.issuer {
		return 0
	}
	if last.isSame(basis) {
		return min(r.next(issuer, last), max(last.due.Sub(basis.at), 0))
	}
	return max(last.at.Add(secretRecheck).Sub(basis.at), 0)
}

func (r *Reconciler) next(issuer v1alpha1.GenericIssuer, last issuerCheck) time.Duration {
	if meta.IsStatusConditionTrue(issuer.GetStatus().Conditions, v1alpha1.ConditionReady) {
		return max(last.due.Sub(r.Remote.Clock.Now()), time.Second)
	}
	return secretRecheck
}

// Writes the status, and tells a change of readiness in an event. Takes no optimistic lock: Orders write another part
// of the same status at any time, this part has no other writer, and what a check finds does not depend on what was
// there.
func (r *Reconciler) save(ctx context.Context, before, issuer v1alpha1.GenericIssuer) error {
	if equality.Semantic.DeepEqual(before.GetStatus(), issuer.GetStatus()) {
		return nil
	}
	if err := r.Status().Patch(ctx, issuer, client.MergeFrom(before)); err != nil {
		return err
	}
	was := meta.FindStatusCondition(before.GetStatus().Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(issuer.GetStatus().Conditions, v1alpha1.ConditionReady)
	if was == nil || was.Reason != is.Reason {
		kind := "Normal"
		if is.Status != metav1.ConditionTrue {
			kind = "Warning"
		}
		r.Recorder.Eventf(issuer, nil, kind, is.Reason, "Check", "%s", apiserver.Bounded(is.Message, 1024))
	}
	return nil
}

// urgentRecheck is how often an issuer is checked, give or take a fifth, while it is not ready, or while its Orders are
// held for a reason whose end a check shows. A repair is noticed within a minute, even if a check still meets the last
// failure of a session, which is remembered for 10 seconds.
const urgentRecheck = 40 * time.Second

// recheckAfter is how long after a check an issuer is checked again. held is what heldFor has found.
func recheckAfter(issuer v1alpha1.GenericIssuer, held string) time.Duration {
	ready := meta.FindStatusCondition(issuer.GetStatus().Conditions, v1alpha1.ConditionReady)
	isReady := ready != nil && ready.Status == metav1.ConditionTrue
	if isReady && held == "" || ready != nil && ready.Reason == v1alpha1.ReasonPermissionRefused {
		return around(issuerRecheck)
	}
	return around(urgentRecheck)
}

// Returns d, give or take up to a fifth at random, so that checks do not come in step.
func around(d time.Duration) time.Duration { return apiwait.Jitter(d-d/5, 0.5) }

// Tells people when the issuer is checked again.
func recheck(reason string) string {
	if reason == v1alpha1.ReasonPermissionRefused {
		return "That order tries again within 12 minutes, and the others after it"
	}
	return "It is checked again every minute"
}

// reach is how the issuer reaches its account.
func (r *Reconciler) reach(issuer v1alpha1.GenericIssuer) access.Reach {
	return access.OfIssuer(issuer, r.ClusterResourceNamespace)
}

// Returns a text that changes when one of the issuer's Secrets does.
func (r *Reconciler) secretVersions(ctx context.Context, issuer v1alpha1.GenericIssuer) string {
	spec := issuer.GetSpec()
	var names []string
	if ref := spec.Credentials.AccessKeySecretRef; ref != nil {
		names = append(names, ref.Name)
	}
	if spec.ContactSecretRef != nil {
		names = append(names, spec.ContactSecretRef.Name)
	}
	for _, solver := range spec.Solvers {
		switch dns := solver.DNS; {
		case dns == nil:
		case dns.Alidns != nil && dns.Alidns.Credentials != nil && dns.Alidns.Credentials.AccessKeySecretRef != nil:
			names = append(names, dns.Alidns.Credentials.AccessKeySecretRef.Name)
		case dns.RFC2136 != nil && dns.RFC2136.TSIGSecretSecretRef != nil:
			names = append(names, dns.RFC2136.TSIGSecretSecretRef.Name)
		}
	}
	versions := make([]string, 0, len(names))
	for _, name := range names {
		versions = append(versions, r.Remote.Secrets.Version(ctx, r.reach(issuer).Namespace, name))
	}
	return strings.Join(versions, " ")
}
