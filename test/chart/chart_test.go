// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package chart installs what the Helm chart renders on a real API server, and tries to get past it.
package chart

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
	path, err := filepath.Abs(helmPath)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
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
	"defaults":        nil,
	"nothing extra":   {"crds.enabled=false", "approver.enabled=false", "admissionPolicy.enabled=false", "rbac.aggregate=false", "metrics.port=0"},
	"two replicas":    {"replicaCount=2", "podLabels.team=a", "priorityClassName=system-cluster-critical", "image.digest=sha256:" + strings.Repeat("0", 64)},
	"where it runs":   {"nodeSelector.pool=infra", "tolerations[0].key=infra", "tolerations[0].operator=Exists", "topologySpreadConstraints[0].maxSkew=1", "topologySpreadConstraints[0].topologyKey=zone", "topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway"},
	"behind a proxy":  {"env[0].name=HTTPS_PROXY", "env[0].value=http://proxy.example.com:3128", "extraArgs[0]=--cluster-id=a", "imagePullSecrets[0].name=registry"},
	"split horizon":   {"dns.nameservers[0]=10.0.0.53:53", "dns.nameservers[1]=https://dns.example.com/dns-query", "dns.checkAuthoritative=false", "log.level=debug", "log.format=console"},
	"other names":     {"fullnameOverride=cas", "serviceAccount.name=orders", "clusterResourceNamespace=secrets", "certManager.namespace=pki", "certManager.serviceAccountName=cm"},
	"webhooks":        {"webhookSolvers[0].groupName=acme.example.com", "webhookSolvers[0].solverNames[0]=a", "webhookSolvers[0].solverNames[1]=b"},
	"all solvers":     {"solvers.dnsEndpoint=true", "solvers.ingress=true", "solvers.gatewayHTTPRoute=true"},
	"with annotation": {"serviceAccount.annotations.a=b", "podAnnotations.a=b"},
}

func TestTheAPIServerTakesAllThatIsRendered(t *testing.T) {
	for name, values := range settings {
		t.Run(name, func(t *testing.T) {
			kube := env.Client(t)
			namespace := env.Namespace(t, kube)
			for _, object := range rendered(t, namespace, values...) {
				err := kube.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict"))
				if isInstalled := object.GetKind() == "CustomResourceDefinition" && err != nil && strings.Contains(err.Error(), "already exists"); err != nil && !isInstalled {
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
		"log.format=xml":              "at '/log/format'",
		"image.digest=sha256:0":       "at '/image/digest'",
		"metrics.port=http":           "at '/metrics/port'",
		"metrics.podMonitor.enabld=1": "additional properties 'enabld' not allowed",
	} {
		out, err := helm(t, "template", "x", folder, "--set", values)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("with %s helm says %q (%v), want %q", values, out, err, want)
		}
	}
}

// TestTheWebhooksThatMayBeCalledAreThoseThatAreNamed keeps tenants from having any other API called.
func TestTheWebhooksThatMayBeCalledAreThoseThatAreNamed(t *testing.T) {
	out, err := helm(t, "template", "x", folder, "--set", strings.Join(settings["webhooks"], ","), "--set", "webhookSolvers[1].groupName=dns.example.net,webhookSolvers[1].solverNames[0]=c")
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
	} {
		out, err := helm(t, "install", "x", folder, "--dry-run=client", "--set", values)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("with %s helm says %v, and not %q", values, err, want)
		}
	}
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
