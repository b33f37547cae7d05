// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// kubectlPath is where `make test` builds it.
const kubectlPath = "../../bin/k8s/kubectl"

// rights are verbs by resource, group and, after an equals sign, the one name that they are for.
type rights map[string]string

// served are the rights in a namespace that is served; cluster are those beside them in an install for all namespaces.
var (
	served = rights{
		"namespaces":                                  "get",
		"certificates.cert-manager.io":                "get",
		"certificaterequests.cert-manager.io":         "get,list,watch",
		"certificaterequests/status.cert-manager.io":  "patch",
		"aliyunissuers.certmanager.aliyun.com":        "get,list,watch",
		"aliyunissuers/status.certmanager.aliyun.com": "patch",
		"aliyunorders.certmanager.aliyun.com":         "create,delete,get,list,patch,watch",
		"aliyunorders/status.certmanager.aliyun.com":  "patch",
		"events.events.k8s.io":                        "create,patch",
	}
	cluster = rights{
		"aliyunclusterissuers.certmanager.aliyun.com":        "get,list,watch",
		"aliyunclusterissuers/status.certmanager.aliyun.com": "patch",
	}
	secrets   = rights{"secrets": "get"}
	endpoints = rights{"dnsendpoints.externaldns.k8s.io": "create,delete,get,list,patch"}
	election  = rights{"leases.coordination.k8s.io": "create,get,update", "events": "create"}
)

func all(sets ...rights) rights {
	sum := rights{}
	for _, set := range sets {
		maps.Copy(sum, set)
	}
	return sum
}

func TestTheManagersRightsAreThese(t *testing.T) {
	for name, c := range map[string]struct {
		values []string
		want   func(release string) map[string]rights
	}{
		"all namespaces": {
			want: func(string) map[string]rights {
				return map[string]rights{"listed": all(served, cluster, secrets),
					"other": all(served, cluster, secrets), "release": all(served, cluster, secrets, election)}
			},
		},
		"all namespaces, and Secrets of one": {
			values: []string{"secretAccess.namespaces[0]=LISTED"},
			want: func(string) map[string]rights {
				return map[string]rights{"listed": all(served, cluster, secrets), "other": all(served, cluster),
					"release": all(served, cluster, secrets, election)}
			},
		},
		"all namespaces, and Secrets of clusters in another": {
			values: []string{"secretAccess.namespaces[0]=LISTED", "clusterResourceNamespace=OTHER"},
			want: func(string) map[string]rights {
				return map[string]rights{"listed": all(served, cluster, secrets),
					"other": all(served, cluster, secrets), "release": all(served, cluster, election)}
			},
		},
		"one namespace": {
			values: []string{"namespaces[0]=LISTED"},
			want: func(release string) map[string]rights {
				return map[string]rights{"listed": all(served, secrets), "other": {},
					"release": all(election, rights{"namespaces=" + release: "get"})}
			},
		},
		"one namespace, and ExternalDNS": {
			values: []string{"namespaces[0]=LISTED", "solvers.dnsEndpoint=true"},
			want: func(release string) map[string]rights {
				return map[string]rights{"listed": all(served, secrets, endpoints), "other": {},
					"release": all(election, rights{"namespaces=" + release: "get"})}
			},
		},
		"two namespaces, and Secrets of one": {
			values: []string{"namespaces[0]=LISTED", "namespaces[1]=OTHER", "secretAccess.namespaces[0]=LISTED"},
			want: func(release string) map[string]rights {
				return map[string]rights{"listed": all(served, secrets), "other": served,
					"release": all(election, rights{"namespaces=" + release: "get"})}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			kube := env.Client(t)
			release, listed, other := env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube)
			values := make([]string, 0, len(c.values))
			for _, value := range c.values {
				values = append(values, strings.NewReplacer("LISTED", listed, "OTHER", other).Replace(value))
			}
			install(t, release, values...)
			want := c.want(release)
			// Last where there may be none: by then, what is granted by mistake is known to the authorizer.
			hasRights(t, release, listed, want["listed"])
			hasRights(t, release, release, want["release"])
			hasRights(t, release, other, want["other"])
		})
	}
}

// hasRights waits for the authorizer, which learns of roles by a watch: a moment later. A minute is long, and short
// enough for whoever tries what a change of the chart does.
func hasRights(t *testing.T, release, namespace string, want rights) {
	t.Helper()
	var diff string
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true,
		func(context.Context) (bool, error) {
			got := rightsOf(t, release, namespace)
			for resource, verbs := range rightsOf(t, "nobody", namespace) {
				if got[resource] == verbs { // everybody has it
					delete(got, resource)
				}
			}
			diff = cmp.Diff(want, got)
			return diff == "", nil
		})
	if err != nil {
		t.Errorf("rights in %s (-want +got):\n%s", namespace, diff)
	}
}

func rightsOf(t *testing.T, release, namespace string) rights {
	t.Helper()
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
		"spec": map[string]any{"namespace": namespace},
	}}
	if err := env.ClientAs(t, "system:serviceaccount:"+release+":"+release).Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	rules, _, err := unstructured.NestedSlice(review.Object, "status", "resourceRules")
	if err != nil {
		t.Fatal(err)
	}
	verbs := map[string][]string{}
	for _, rule := range rules {
		of := func(field string) []string {
			list, _, err := unstructured.NestedStringSlice(rule.(map[string]any), field)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		for _, group := range of("apiGroups") {
			for _, resource := range of("resources") {
				key := strings.TrimSuffix(resource+"."+group, ".")
				if names := of("resourceNames"); len(names) > 0 {
					key += "=" + strings.Join(names, ",")
				}
				verbs[key] = append(verbs[key], of("verbs")...)
			}
		}
	}
	got := rights{}
	for key, list := range verbs {
		slices.Sort(list)
		got[key] = strings.Join(slices.Compact(list), ",")
	}
	return got
}

// TestAManagerOfOneNamespaceWorksThereAndNowhereElse tries what the rights say: what the API server makes of a request
// for a namespace itself, or for a list of all, no table shows.
func TestAManagerOfOneNamespaceWorksThereAndNowhereElse(t *testing.T) {
	kube := env.Client(t)
	release, listed, other := env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube)
	install(t, release, "namespaces[0]="+listed)
	hasRights(t, release, listed, all(served, secrets))
	controller := env.ClientAs(t, "system:serviceaccount:"+release+":"+release)
	for _, namespace := range []string{listed, other} {
		if err := kube.Create(t.Context(), gen.Secret(namespace, "id", "secret")); err != nil {
			t.Fatal(err)
		}
	}
	namespace := func(name string) error {
		return controller.Get(t.Context(), client.ObjectKey{Name: name}, &corev1.Namespace{})
	}
	secret := func(namespace string) error {
		return controller.Get(t.Context(), client.ObjectKeyFromObject(gen.Secret(namespace, "", "")), &corev1.Secret{})
	}
	list := func(list client.ObjectList, options ...client.ListOption) error {
		return controller.List(t.Context(), list, options...)
	}
	for what, err := range map[string]error{
		"read the namespace":     namespace(listed),
		"read its own namespace": namespace(release),
		"read a Secret by name":  secret(listed),
		"list requests":          list(&cmapi.CertificateRequestList{}, client.InNamespace(listed)),
		"list orders":            list(&v1alpha1.AliyunOrderList{}, client.InNamespace(listed)),
		"list issuers":           list(&v1alpha1.AliyunIssuerList{}, client.InNamespace(listed)),
		"create an order":        controller.Create(t.Context(), gen.Order(listed), client.DryRunAll),
	} {
		if err != nil {
			t.Errorf("it cannot %s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"read another namespace":             namespace(other),
		"read the namespace kube-system":     namespace(metav1.NamespaceSystem),
		"list namespaces":                    list(&corev1.NamespaceList{}),
		"read a Secret elsewhere":            secret(other),
		"read a Secret of its own namespace": secret(release),
		"list Secrets":                       list(&corev1.SecretList{}, client.InNamespace(listed)),
		"list all Secrets":                   list(&corev1.SecretList{}),
		"list all requests":                  list(&cmapi.CertificateRequestList{}),
		"list requests elsewhere":            list(&cmapi.CertificateRequestList{}, client.InNamespace(other)),
		"list all orders":                    list(&v1alpha1.AliyunOrderList{}),
		"list cluster issuers":               list(&v1alpha1.AliyunClusterIssuerList{}),
		"create an order elsewhere":          controller.Create(t.Context(), gen.Order(other), client.DryRunAll),
	} {
		if err == nil || !strings.Contains(err.Error(), "forbidden") {
			t.Errorf("it may %s: %v", what, err)
		}
	}
}

// TestAnInstallForOneNamespaceNeedsNothingOfTheCluster lets a team install it that administers namespaces only.
func TestAnInstallForOneNamespaceNeedsNothingOfTheCluster(t *testing.T) {
	off := []string{"crds.enabled=false", "approver.enabled=false", "admissionPolicy.enabled=false",
		"rbac.aggregate=false"}
	for _, object := range rendered(
		t, "rel", append(off, "namespaces[0]=a", "solvers.dnsEndpoint=true", "solvers.ingress=true")...) {
		if object.GetNamespace() == "" {
			t.Errorf("there is a %s", object.GetKind())
		}
	}
	for _, object := range rendered(t, "rel", "crds.enabled=false", "namespaces[0]=a") {
		if subjects, _, _ := unstructured.NestedSlice(
			object.Object, "subjects"); object.GetKind() == "ClusterRoleBinding" &&
			subjects[0].(map[string]any)["namespace"] == "rel" {
			t.Errorf("the manager has a right in the whole cluster by %s", object.GetName())
		}
	}
}

func TestThePolicyOfOneNamespaceLeavesOthersAlone(t *testing.T) {
	kube := env.Client(t)
	release, listed, other := env.Namespace(t, kube), env.Namespace(t, kube), env.Namespace(t, kube)
	owned(t, listed)
	owned(t, other)
	install(t, release, "namespaces[0]="+listed)
	refusesForgeries(t, listed)
	if err := env.ClientAs(t, "owner of "+other).Create(t.Context(), gen.Order(other), client.DryRunAll); err != nil {
		t.Errorf("an order of somebody else's is refused: %v", err)
	}
	second := env.Namespace(t, kube)
	install(t, second, "namespaces[0]="+other)
	refusesForgeries(t, other)
	if err := env.ClientAs(t, "system:serviceaccount:"+second+":"+second).Create(t.Context(), gen.Order(other),
		client.DryRunAll); err != nil {
		t.Errorf("the second controller may not create an order: %v", err)
	}
}

// TestWhoOwnsANamespaceGrantsItsSecretsAsTheMessageSays runs the very command that helm prints.
func TestWhoOwnsANamespaceGrantsItsSecretsAsTheMessageSays(t *testing.T) {
	for name, values := range map[string][]string{
		"all namespaces":  {"secretAccess.namespaces[0]=default"},
		"some namespaces": {"namespaces[0]=TENANT", "namespaces[1]=default", "secretAccess.namespaces[0]=default"},
	} {
		t.Run(name, func(t *testing.T) {
			kube := env.Client(t)
			release, tenant := env.Namespace(t, kube), env.Namespace(t, kube)
			owned(t, tenant)
			for i := range values {
				values[i] = strings.ReplaceAll(values[i], "TENANT", tenant)
			}
			install(t, release, values...)
			secret := gen.Secret(tenant, "id", "secret")
			if err := kube.Create(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			controller := env.ClientAs(t, "system:serviceaccount:"+release+":"+release)
			read := func(ctx context.Context) (bool, error) {
				return controller.Get(ctx, client.ObjectKeyFromObject(secret), &corev1.Secret{}) == nil, nil
			}
			if isAllowed, _ := read(t.Context()); isAllowed {
				t.Fatal("it may read the Secret before anybody grants it")
			}

			out, err := helm(t, "install", "aliyun-issuer", folder, "--namespace", release, "--dry-run=client", "--set",
				strings.Join(append(values, "fullnameOverride="+release), ","))
			if err != nil {
				t.Fatal(out)
			}
			_, command, _ := strings.Cut(out, "kubectl ")
			command, _, _ = strings.Cut(command, "\n\n")
			command = strings.NewReplacer("NAMESPACE", tenant, "\\\n", "").Replace(command)
			args := append(strings.Fields(command), "--kubeconfig", env.Kubeconfig(t), "--as", "owner of "+tenant)
			if out, err := exec.Command(kubectlPath, args...).CombinedOutput(); err != nil {
				t.Fatalf("kubectl %s: %s", command, out)
			}
			if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true,
				read); err != nil {
				t.Error("it cannot read the Secret after the owner has granted it")
			}
		})
	}
}
