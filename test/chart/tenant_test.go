// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const forged = "an AliyunOrder is the record of a paid order, and only aliyun-issuer creates it or writes its status"

// installed applies the chart, and returns the namespaces of the release and of a tenant. The tenant has the
// cluster's role admin there, and in addition every verb on Orders: RBAC alone would refuse too much to try the policy.
func installed(t *testing.T) (release, tenant string) {
	t.Helper()
	kube := env.Client(t)
	release, tenant = env.Namespace(t, kube), env.Namespace(t, kube)
	install(t, release)
	owned(t, tenant)
	return release, tenant
}

// install applies the chart with its controller's ServiceAccount named as the namespace.
func install(t *testing.T, release string, values ...string) {
	t.Helper()
	kube := env.Client(t)
	t.Cleanup(func() { forgotten(t) }) // the last of the cleanups here
	for _, object := range rendered(
		t, release, append(values, "crds.enabled=false", "replicaCount=0", "fullnameOverride="+release)...) {
		if err := kube.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := kube.Delete(context.WithoutCancel(t.Context()), object); err != nil {
				t.Error(err)
			}
		})
	}
}

// owned gives the namespace an admin and an owner.
func owned(t *testing.T, tenant string) {
	t.Helper()
	kube := env.Client(t)
	for _, object := range []client.Object{
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "admin", Namespace: tenant},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "admin"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: "admin of " + tenant}},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "everything", Namespace: tenant},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: "owner of " + tenant}},
		},
	} {
		if err := kube.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNobodyButTheControllerWritesTheRecordOfAnOrder(t *testing.T) {
	release, tenant := installed(t)
	controller := env.ClientAs(t, "system:serviceaccount:"+release+":"+release)
	owner := env.ClientAs(t, "owner of "+tenant)

	refusesForgeries(t, tenant)

	made := gen.Order(tenant)
	if err := controller.Create(t.Context(), made); err != nil {
		t.Fatalf("the controller may not create an AliyunOrder: %v", err)
	}
	for who, kube := range map[string]client.Client{"the owner": owner, "cluster-admin": env.Client(t)} {
		copied := made.DeepCopy()
		copied.Status.OrderID = "1"
		if err := kube.Status().Update(t.Context(), copied); err == nil || !strings.Contains(err.Error(), forged) {
			t.Errorf("%s could write an order id: %v", who, err)
		}
		base := client.MergeFrom(made.DeepCopy())
		if err := kube.Status().Patch(t.Context(), copied, base); err == nil || !strings.Contains(err.Error(), forged) {
			t.Errorf("%s could patch an order id: %v", who, err)
		}
	}
	base := client.MergeFrom(made.DeepCopy())
	made.Status.OrderID = "1"
	if err := controller.Status().Patch(t.Context(), made, base); err != nil {
		t.Errorf("the controller may not write the status: %v", err)
	}
	base = client.MergeFrom(made.DeepCopy())
	made.Finalizers = nil
	if err := owner.Patch(t.Context(), made, base); err != nil {
		t.Errorf("whoever may write Orders cannot strip a finalizer after an uninstall: %v", err)
	}
	if err := owner.Delete(t.Context(), made); err != nil {
		t.Errorf("whoever may delete Orders cannot delete one: %v", err)
	}
}

// refusesForgeries waits for the policy, which takes a moment until it is in force; until then nothing that is tried
// may count.
func refusesForgeries(t *testing.T, tenant string) {
	t.Helper()
	owner := env.ClientAs(t, "owner of "+tenant)
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, env.Patience, true,
		func(ctx context.Context) (bool, error) {
			err := owner.Create(ctx, gen.Order(tenant), client.DryRunAll)
			return err != nil && strings.Contains(err.Error(), forged), nil
		})
	if err != nil {
		t.Fatalf("an owner of the namespace can create an AliyunOrder: %v", err)
	}
}

// forgotten waits until no policy for all namespaces is in force any more, which would refuse the orders of the next
// test.
func forgotten(t *testing.T) {
	t.Helper()
	kube := env.Client(t)
	err := wait.PollUntilContextTimeout(context.WithoutCancel(t.Context()), 100*time.Millisecond, env.Patience, true,
		func(ctx context.Context) (bool, error) {
			return kube.Create(ctx, gen.Order(metav1.NamespaceDefault), client.DryRunAll) == nil, nil
		})
	if err != nil {
		t.Errorf("the policy of a release that is gone is still in force: %v", err)
	}
}

func TestATenantWritesIssuersAndReadsOrders(t *testing.T) {
	_, tenant := installed(t)
	admin := env.ClientAs(t, "admin of "+tenant)
	issuer := gen.Issuer(tenant, "https://cas.example.com")
	// The aggregation of roles is done by kube-controller-manager, which does not run here: what is asked is whether
	// the role that is aggregated says the right things.
	kube := env.Client(t)
	roles := &rbacv1.ClusterRoleList{}
	if err := kube.List(t.Context(), roles,
		client.MatchingLabels{"rbac.authorization.k8s.io/aggregate-to-admin": "true",
			"app.kubernetes.io/name": "aliyun-issuer"}); err != nil {
		t.Fatal(err)
	}
	for _, role := range roles.Items {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name, Namespace: tenant},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: "admin of " + tenant}},
		}
		if err := kube.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
	}
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, env.Patience, true,
		func(ctx context.Context) (bool, error) {
			return admin.Create(ctx, issuer) == nil, nil
		})
	if err != nil {
		t.Fatalf("a tenant cannot create an issuer: %v", err)
	}
	if err := admin.List(t.Context(), &v1alpha1.AliyunOrderList{}, client.InNamespace(tenant)); err != nil {
		t.Errorf("a tenant cannot read orders: %v", err)
	}
	if err := admin.Create(t.Context(), gen.Order(tenant)); err == nil ||
		!strings.Contains(err.Error(), "is forbidden") {
		t.Errorf("a tenant could create an order: %v", err)
	}
	if err := admin.DeleteAllOf(t.Context(), &v1alpha1.AliyunOrder{}, client.InNamespace(tenant)); err == nil {
		t.Error("a tenant could delete orders")
	}
}

func TestTheControllerMayDoWhatItMustAndNoMore(t *testing.T) {
	release, tenant := installed(t)
	controller := env.ClientAs(t, "system:serviceaccount:"+release+":"+release)
	if err := controller.List(t.Context(), &v1alpha1.AliyunOrderList{}); err != nil {
		t.Errorf("it cannot list orders: %v", err)
	}
	secret := gen.Secret(tenant, "id", "secret")
	if err := env.Client(t).Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := controller.Get(t.Context(), client.ObjectKeyFromObject(secret), &corev1.Secret{}); err != nil {
		t.Errorf("it cannot read a Secret by its name: %v", err)
	}
	for what, try := range map[string]func() error{
		"list Secrets": func() error {
			return controller.List(t.Context(), &corev1.SecretList{}, client.InNamespace(tenant))
		},
		"write Secrets": func() error { return controller.Update(t.Context(), secret) },
		"delete orders": func() error {
			return controller.DeleteAllOf(t.Context(), &v1alpha1.AliyunOrder{}, client.InNamespace(tenant))
		},
		"write issuers": func() error {
			return controller.Create(t.Context(), gen.Issuer(tenant, "https://cas.example.com"))
		},
		"read Pods": func() error {
			return controller.List(t.Context(), &corev1.PodList{}, client.InNamespace(tenant))
		},
		"bind roles":          func() error { return controller.List(t.Context(), &rbacv1.RoleBindingList{}) },
		"read all namespaces": func() error { return controller.List(t.Context(), &corev1.NamespaceList{}) },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), "forbidden") {
			t.Errorf("it may %s: %v", what, err)
		}
	}
}
