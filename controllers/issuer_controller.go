// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// +kubebuilder:rbac:groups=certmanager.aliyun.com,resources=aliyunissuers/status;aliyunclusterissuers/status,verbs=patch

const (
	// issuerRecheck is how often an issuer is checked, give or take a fifth.
	issuerRecheck = 10 * time.Minute
	// secretRecheck is how often the Secret of an issuer that is not ready is looked at, which costs no call to CAS.
	secretRecheck = 30 * time.Second
)

// IssuerReconciler says whether an issuer can be ordered from. One type serves both kinds. All fields are required.
type IssuerReconciler struct {
	client.Client
	Recorder events.EventRecorder
	Remote   *Remote
	// Kind is AliyunIssuer or AliyunClusterIssuer.
	Kind string
	// ClusterResourceNamespace is where the Secrets of cluster issuers are.
	ClusterResourceNamespace string
	// CheckBound is how long one check may take. What has not answered by then is told as such, and takes away nothing that
	// was true.
	CheckBound time.Duration

	checks sync.Map // issuerCheck by name
}

// issuerCheck is what the last look at Alibaba Cloud was based on.
type issuerCheck struct {
	issuer     types.UID
	generation int64
	secrets    string
	refused    types.UID // of an order
	at         time.Time
	due        time.Time
}

// Reconcile checks one issuer, if that is due or something that it depends on has changed.
func (r *IssuerReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	issuer := newIssuer(r.Kind)
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
	basis := issuerCheck{issuer: issuer.GetUID(), generation: issuer.GetGeneration(), secrets: r.secretVersions(ctx, issuer), at: now}
	if order := r.refusedOrder(ctx, issuer); order != nil {
		basis.refused = order.UID
	}
	if wait := r.notDue(issuer, basis); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	before := issuer.DeepCopyObject().(v1alpha1.GenericIssuer)
	r.check(ctx, issuer)
	basis.due = now.Add(r.recheckAfter(issuer))
	r.checks.Store(req.NamespacedName, basis)
	if err := r.save(ctx, before, issuer); err != nil {
		basis.generation = -1 // what was found out is lost: the next run may look again
		r.checks.Store(req.NamespacedName, basis)
		return retry(issuer, err)
	}
	return ctrl.Result{RequeueAfter: r.next(issuer, basis)}, nil
}

// notDue is how long an issuer can rest, or zero. Between two checks lie 30 seconds, whatever changes.
func (r *IssuerReconciler) notDue(issuer v1alpha1.GenericIssuer, basis issuerCheck) time.Duration {
	stored, _ := r.checks.Load(client.ObjectKeyFromObject(issuer))
	last, ok := stored.(issuerCheck)
	if !ok || last.issuer != basis.issuer {
		return 0
	}
	if last.generation == basis.generation && last.secrets == basis.secrets && last.refused == basis.refused {
		return min(r.next(issuer, last), max(last.due.Sub(basis.at), 0))
	}
	return max(last.at.Add(secretRecheck).Sub(basis.at), 0)
}

func (r *IssuerReconciler) next(issuer v1alpha1.GenericIssuer, last issuerCheck) time.Duration {
	if meta.IsStatusConditionTrue(issuer.GetStatus().Conditions, v1alpha1.ConditionReady) {
		return max(last.due.Sub(r.Remote.Clock.Now()), time.Second)
	}
	return secretRecheck
}

// save writes the status and tells a change of readiness. It does so without a lock: orders write into another part of
// the same status at any time, its own part has no other writer, and what a check finds does not hang on what was there.
func (r *IssuerReconciler) save(ctx context.Context, before, issuer v1alpha1.GenericIssuer) error {
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
		r.Recorder.Eventf(issuer, nil, kind, is.Reason, "Check", "%s", bounded(is.Message, 1024))
	}
	return nil
}

// identityRecheck is how often an issuer is checked that is not ready for a reason that no Secret shows.
const identityRecheck = time.Minute

// identityReasons are those reasons.
var identityReasons = []string{
	v1alpha1.ReasonCASUnavailable, v1alpha1.ReasonRoleRefused, v1alpha1.ReasonTokenForbidden, v1alpha1.ReasonTokenUnavailable, v1alpha1.ReasonServiceAccountNotFound, v1alpha1.ReasonMetadataUnavailable,
}

func (r *IssuerReconciler) recheckAfter(issuer v1alpha1.GenericIssuer) time.Duration {
	if ready := meta.FindStatusCondition(issuer.GetStatus().Conditions, v1alpha1.ConditionReady); ready != nil && slices.Contains(identityReasons, ready.Reason) {
		return around(identityRecheck)
	}
	return around(issuerRecheck)
}

// recheck tells people when that is.
func recheck(reason string) string {
	switch {
	case reason == v1alpha1.ReasonPermissionRefused:
		return "That order tries again within 12 minutes, and the others after it"
	case slices.Contains(identityReasons, reason):
		return "It is checked again every minute, and within 30 seconds of a change to the issuer"
	default:
		return "It is checked again every 10 minutes, and within 30 seconds of a change to the Secret or the issuer"
	}
}

// reach is how the issuer reaches its account.
func (r *IssuerReconciler) reach(issuer v1alpha1.GenericIssuer) reach {
	return reach{Access: issuer.GetSpec().Access, kind: r.Kind, namespace: r.secretsNamespace(issuer)}
}

// secretsNamespace is where the Secrets of the issuer are, and nowhere else.
func (r *IssuerReconciler) secretsNamespace(issuer v1alpha1.GenericIssuer) string {
	if r.Kind == v1alpha1.AliyunClusterIssuerKind {
		return r.ClusterResourceNamespace
	}
	return issuer.GetNamespace()
}

// secretVersions changes when one of the issuer's Secrets does.
func (r *IssuerReconciler) secretVersions(ctx context.Context, issuer v1alpha1.GenericIssuer) string {
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
		versions = append(versions, r.Remote.Secrets.Version(ctx, r.secretsNamespace(issuer), name))
	}
	return strings.Join(versions, " ")
}
