// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package chart installs what the Helm chart renders on a real API server, and tries to get past it.
package chart

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

func TestMain(m *testing.M) { env.Main(m) }

const (
	folder = "../../charts/aliyun-issuer"
	// helmPath is where `make test` builds it.
	helmPath = "../../bin/k8s/helm"
)

// helm returns what it prints, and fails the test unless that is expected.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program, err := filepath.Abs(helmPath)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("helm does not run ('make test' builds it): %v", exit)
	}
	return string(out), err
}

func TestHelmHasNothingToCriticise(t *testing.T) {
	if out, err := helm(t, "lint", "--strict", folder); err != nil {
		t.Error(out)
	}
}

// settings are values that users combine; each is rendered, and offered to the API server.
var settings = map[string][]string{
	"defaults": nil,
	"nothing extra": {"crds.enabled=false", "approver.enabled=false", "admissionPolicy.enabled=false",
		"rbac.aggregate=false", "metrics.port=0"},
	"two replicas": {"replicaCount=2", "podLabels.team=a", "priorityClassName=system-cluster-critical",
		"image.digest=sha256:" + strings.Repeat("0", 64)},
	"where it runs": {"nodeSelector.pool=infra", "tolerations[0].key=infra", "tolerations[0].operator=Exists",
		"topologySpreadConstraints[0].maxSkew=1", "topologySpreadConstraints[0].topologyKey=zone",
		"topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway"},
	"behind a proxy": {"env[0].name=HTTPS_PROXY", "env[0].value=http://proxy.example.com:3128",
		"extraArgs[0]=--cluster-id=a", "imagePullSecrets[0].name=registry"},
	"split horizon": {"dns.nameservers[0]=10.0.0.53:53", "dns.nameservers[1]=https://dns.example.com/dns-query",
		"dns.checkAuthoritative=false", "log.level=debug", "log.format=console"},
	"other names": {"fullnameOverride=cas", "serviceAccount.name=orders", "clusterResourceNamespace=secrets",
		"certManager.namespace=pki", "certManager.serviceAccountName=cm"},
	"webhooks": {"webhookSolvers[0].groupName=acme.example.com", "webhookSolvers[0].solverNames[0]=a",
		"webhookSolvers[0].solverNames[1]=b"},
	"all solvers":     {"solvers.dnsEndpoint=true", "solvers.ingress=true", "solvers.gatewayHTTPRoute=true"},
	"common names":    {"commonNamePolicy.enabled=true"},
	"with annotation": {"serviceAccount.annotations.a=b", "podAnnotations.a=b"},
	"some namespaces": {"namespaces[0]=default", "namespaces[1]=kube-public", "solvers.dnsEndpoint=true",
		"solvers.ingress=true"},
	"fewer Secrets":   {"namespaces[0]=default", "namespaces[1]=kube-public", "secretAccess.namespaces[0]=default"},
	"Secrets of some": {"secretAccess.namespaces[0]=default", "clusterResourceNamespace=kube-public"},
	"RRSA": {"oidcToken.enabled=true", "oidcToken.expirationSeconds=600", "ambientCredentials.issuers=true",
		"ambientCredentials.clusterIssuers=false"},
	"other endpoints": {"issuerEndpointHosts={.corp.example,cas.example.com}",
		"issuerNameservers={ns1.example.com,10.0.0.53:5353,[2001:db8::1]}"},
	"some routes": {"issuerRoutes.domains[0].namespace=team-a",
		"issuerRoutes.domains[0].domains={a.example.com,example.net}",
		"issuerRoutes.keys={nginx.ingress.kubernetes.io/ssl-redirect}", "issuerRoutes.gatewayNamespaces={gateways}",
		"solvers.ingress=true"},
	"some proxies": {"proxy.https=http://proxy.example.com:3128", "proxy.noProxy=.svc", "env[0].name=NO_PROXY",
		"env[0].value=.local"},
	"a CA bundle": {"extraVolumes[0].name=ca", "extraVolumes[0].configMap.name=ca", "extraVolumeMounts[0].name=ca",
		"extraVolumeMounts[0].mountPath=/etc/ca", "extraVolumeMounts[0].readOnly=true"},
}

func TestTheAPIServerTakesAllThatIsRendered(t *testing.T) {
	for name, values := range settings {
		t.Run(name, func(t *testing.T) {
			kube := env.Client(t)
			namespace := env.Namespace(t, kube)
			for _, object := range rendered(t, namespace, values...) {
				err := kube.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict"))
				if isInstalled := object.GetKind() == "CustomResourceDefinition" && err != nil &&
					strings.Contains(err.Error(), "already exists"); err != nil && !isInstalled {
					t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
				}
			}
		})
	}
}

func TestAMistakeInTheValuesIsNamed(t *testing.T) {
	for values, want := range map[string]string{
		"replicas=2":                 "additional properties 'replicas' not allowed",
		"image.pullPolicy=Sometimes": "at '/image/pullPolicy'",
		"dns.nameservers[0]=8.8.8.8": "at '/dns/nameservers/0'",
		"webhookSolvers[0].groupName=*,webhookSolvers[0].solverNames[0]=a": "at '/webhookSolvers/0/groupName'",
		"webhookSolvers[0].groupName=acme.example.com":                     "missing property 'solverNames'",
		"log.format=xml":                                 "at '/log/format'",
		"image.digest=sha256:0":                          "at '/image/digest'",
		"metrics.port=http":                              "at '/metrics/port'",
		"metrics.podMonitor.enabld=1":                    "additional properties 'enabld' not allowed",
		"namespaces={Team_A}":                            "at '/namespaces/0'",
		"namespaces={a,a}":                               "at '/namespaces'",
		"secretAccess.namespace={a}":                     "additional properties 'namespace' not allowed",
		"ambientCredentials=true":                        "at '/ambientCredentials'",
		"issuerEndpointHosts={https://cas.aliyuncs.com}": "at '/issuerEndpointHosts/0'",
		"issuerEndpointHosts={*}":                        "at '/issuerEndpointHosts/0'",
		"issuerNameservers={tcp://ns1.example.com}":      "at '/issuerNameservers/0'",
		"issuerNameservers={*}":                          "at '/issuerNameservers/0'",
		"issuerRoutes.domains[0].namespace=a":            "missing property 'domains'",
		"issuerRoutes.domains[0].namespace=*,issuerRoutes.domains[0].domains={a.example}":   "at '/issuerRoutes/domains/0/namespace'",
		"issuerRoutes.domains[0].namespace=a,issuerRoutes.domains[0].domains={*.a.example}": "at '/issuerRoutes/domains/0/domains/0'",
		"issuerRoutes.keys={*}":                          "at '/issuerRoutes/keys/0'",
		"issuerRoutes.annotations={a}":                   "additional properties 'annotations' not allowed",
		"oidcToken.expirationSeconds=60":                 "at '/oidcToken/expirationSeconds'",
		"proxy.https=proxy.example.com":                  "at '/proxy/https'",
		"extraVolumeMounts[0].name=ca":                   "missing property 'mountPath'",
		"commonNamePolicy=true":                          "at '/commonNamePolicy'",
		"namespaces={a,b},secretAccess.namespaces={b,c}": "secretAccess.namespaces names c, which is not in namespaces",
		"namespaces={a},clusterResourceNamespace=b":      "clusterResourceNamespace is for AliyunClusterIssuers",
		"namespaces={a},webhookSolvers[0].groupName=acme.example.com,webhookSolvers[0].solverNames[0]=my-dns": "webhookSolvers cannot be used where namespaces are listed",
	} {
		out, err := helm(t, "template", "x", folder, "--set", values)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("with %s helm says %q (%v), want %q", values, out, err, want)
		}
	}
}

// TestTheWebhooksThatMayBeCalledAreThoseThatAreNamed keeps tenants from having any other API called.
func TestTheWebhooksThatMayBeCalledAreThoseThatAreNamed(t *testing.T) {
	out, err := helm(t, "template", "x", folder, "--set", strings.Join(settings["webhooks"], ","), "--set",
		"webhookSolvers[1].groupName=dns.example.net,webhookSolvers[1].solverNames[0]=c")
	if err != nil {
		t.Fatal(out)
	}
	for _, want := range []string{
		"- --webhook-solvers=acme.example.com/a,acme.example.com/b,dns.example.net/c\n",
		"- apiGroups: [\"acme.example.com\"]\n  resources: [\"a\",\"b\"]\n  verbs: [create]\n",
		"- apiGroups: [\"dns.example.net\"]\n  resources: [\"c\"]\n  verbs: [create]\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("what is rendered lacks %q", want)
		}
	}
}

func TestTheMessageAfterTheInstallFitsTheValues(t *testing.T) {
	for values, want := range map[string]string{
		"replicaCount=1":                "kubectl get aliyunorders -A",
		"replicaCount=0":                "no controller runs",
		"approver.enabled=false":        "requests wait until something approves them",
		"clusterResourceNamespace=keys": "AliyunClusterIssuer   reads Secrets of namespace keys",
		"namespaces=null":               "It serves all namespaces.",
		"namespaces={a,b}": "It serves these namespaces, and no " +
			"AliyunClusterIssuers: a, b\n",
		"namespaces={c,d}": "kubectl delete aliyunissuers --all -n d && kubectl delete " +
			"aliyunorders --all -n d\n",
		"secretAccess.namespaces={a}": "It may read Secrets in these namespaces only: a, rel\n",
		"secretAccess.namespaces={b}": "kubectl create rolebinding x-aliyun-issuer-reads-secrets " +
			"--namespace NAMESPACE \\\n    --clusterrole=x-aliyun-issuer-secrets --serviceaccount=rel:x-aliyun-issuer\n",
		"namespaces={a,b},secretAccess.namespaces={a}": " --role=x-aliyun-issuer-secrets " +
			"--serviceaccount=rel:x-aliyun-issuer\n",
	} {
		out, err := helm(t, "install", "x", folder, "--namespace", "rel", "--dry-run=client", "--set", values)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("with %s helm says %v, and not %q", values, err, want)
		}
	}
}

func TestTheManagerIsToldWhatTheValuesSay(t *testing.T) {
	for values, want := range map[string][]string{
		"crds.enabled=false": {
			"--secret-reader-role=ClusterRole/x-aliyun-issuer-secrets", "--issuer-ambient-credentials=false",
			"--cluster-issuer-ambient-credentials=true",
		},
		"namespaces={a,b}": {"--namespaces=a,b"},
		"ambientCredentials.issuers=true,ambientCredentials.clusterIssuers=false": {"--issuer-ambient-credentials=true",
			"--cluster-issuer-ambient-credentials=false"},
		"issuerEndpointHosts={.corp.example,cas.example.com}": {
			"--issuer-endpoint-hosts=.corp.example,cas.example.com"},
		"issuerRoutes.domains[0].namespace=a,issuerRoutes.domains[0].domains={a.example,b.example},issuerRoutes.domains[1].namespace=c,issuerRoutes.domains[1].domains={c.example}": {"--issuer-route-domains=a/a.example,a/b.example,c/c.example"},
		"issuerRoutes.keys={example.com/a,b},issuerRoutes.gatewayNamespaces={gateways}":                                                                                             {"--issuer-route-keys=example.com/a,b", "--issuer-route-gateway-namespaces=gateways"},
		"issuerNameservers={ns1.example.com,[2001:db8::1]:5353}":                                                                                                                    {"--issuer-nameservers=ns1.example.com,[2001:db8::1]:5353"},
	} {
		args := container(t, values).Args
		for _, arg := range want {
			if !slices.Contains(args, arg) {
				t.Errorf("with %s the manager is called with %q, want %q", values, args, arg)
			}
		}
	}
}

func TestTheManagersEnvironmentIsWhatTheValuesSay(t *testing.T) {
	const direct = "100.100.100.200,$(KUBERNETES_SERVICE_HOST)"
	for values, want := range map[string]map[string]string{
		"proxy.https=":               {},
		"proxy.https=http://p:3128":  {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": direct},
		"proxy.http=socks5://p:1080": {"HTTP_PROXY": "socks5://p:1080", "NO_PROXY": direct},
		`proxy.https=http://p:3128,proxy.noProxy=.svc\,10.0.0.0/8`: {"HTTPS_PROXY": "http://p:3128",
			"NO_PROXY": direct + ",.svc,10.0.0.0/8"},
		"proxy.https=http://p:3128,env[0].name=NO_PROXY,env[0].value=.local": {"HTTPS_PROXY": "http://p:3128",
			"NO_PROXY": ".local"},
		"oidcToken.enabled=true,env[0].name=ALIBABA_CLOUD_ROLE_ARN,env[0].value=acs": {
			"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/var/run/secrets/certmanager.aliyun.com/oidc/token",
			"ALIBABA_CLOUD_ROLE_ARN":        "acs"},
	} {
		got := map[string]string{}
		for _, variable := range container(t, values).Env {
			if _, isThere := got[variable.Name]; isThere {
				t.Errorf("with %s there are two variables %s, which server-side apply refuses", values, variable.Name)
			}
			got[variable.Name] = variable.Value
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", values, diff)
		}
	}
}

// TestTheTokenLiesWhereTheManagerLooksForIt, and its user may read it, though the volume is root's.
func TestTheTokenLiesWhereTheManagerLooksForIt(t *testing.T) {
	pod := podOf(t, "oidcToken.enabled=true,oidcToken.audience=sts.example.com,extraVolumes[0].name=ca")
	var mounted string
	for _, mount := range pod.Containers[0].VolumeMounts {
		if mount.Name == pod.Volumes[0].Name && mount.ReadOnly {
			mounted = mount.MountPath
		}
	}
	token := pod.Volumes[0].Projected.Sources[0].ServiceAccountToken
	if got, want := path.Join(mounted, token.Path), pod.Containers[0].Env[0].Value; got != want {
		t.Errorf("the token is at %q, and looked for at %q", got, want)
	}
	if token.Audience != "sts.example.com" || *token.ExpirationSeconds != 3600 {
		t.Errorf("the token is for %q and for %d seconds", token.Audience, *token.ExpirationSeconds)
	}
	if group := pod.SecurityContext.FSGroup; group == nil || *group != *pod.SecurityContext.RunAsGroup {
		t.Errorf("the token is for the group %v, and the manager is of %d", group, *pod.SecurityContext.RunAsGroup)
	}
	if len(pod.Volumes) != 2 || pod.Volumes[1].Name != "ca" {
		t.Errorf("the user's volume is not there: %v", pod.Volumes)
	}
}

func container(t *testing.T, values string) corev1.Container {
	t.Helper()
	return podOf(t, values).Containers[0]
}

// podOf is the controller's, in a release that is named x.
func podOf(t *testing.T, values string) corev1.PodSpec {
	t.Helper()
	out, err := helm(t, "template", "x", folder, "--show-only", "templates/deployment.yaml", "--set", values)
	if err != nil {
		t.Fatal(out)
	}
	deployment := &appsv1.Deployment{}
	if err := yaml.UnmarshalStrict([]byte(out), deployment); err != nil {
		t.Fatal(err)
	}
	return deployment.Spec.Template.Spec
}

// rendered are the objects of the chart, as a release that is named as in the README.
func rendered(t *testing.T, namespace string, values ...string) []*unstructured.Unstructured {
	t.Helper()
	args := []string{"template", "aliyun-issuer", folder, "--namespace", namespace}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	out, err := helm(t, args...)
	if err != nil {
		t.Fatal(out)
	}
	var objects []*unstructured.Unstructured
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(out)), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
	if len(objects) == 0 {
		t.Fatal("nothing was rendered")
	}
	return objects
}
