// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const crd = `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.0.1
  name: things.example.com
spec:
  description: 'a {{ brace }}'
`

const crdAsTemplate = `{{- if .Values.crds.enabled }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
    controller-gen.kubebuilder.io/version: v0.0.1
  name: things.example.com
  labels:
    {{- include "aliyun-issuer.labels" . | nindent 4 }}
spec:
  description: 'a {{ "{{" }} brace }}'
{{- end }}
`

const role = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: manager
rules:
- apiGroups:
  - ""
  resources:
  - namespaces
  - secrets
  verbs:
  - get
- apiGroups:
  - certmanager.aliyun.com
  resources:
  - aliyunclusterissuers/status
  - aliyunissuers/status
  verbs:
  - patch
- apiGroups:
  - certmanager.aliyun.com
  resources:
  - aliyunclusterissuers
  verbs:
  - list
`

const roleAsTemplates = `{{- define "aliyun-issuer.managerRules" -}}
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
- apiGroups:
  - certmanager.aliyun.com
  resources:
  - aliyunclusterissuers/status
  - aliyunissuers/status
  verbs:
  - patch
- apiGroups:
  - certmanager.aliyun.com
  resources:
  - aliyunclusterissuers
  verbs:
  - list
{{- end }}
{{- define "aliyun-issuer.namespacedRules" -}}
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
- apiGroups:
  - certmanager.aliyun.com
  resources:
  - aliyunissuers/status
  verbs:
  - patch
{{- end }}
{{- define "aliyun-issuer.secretRules" -}}
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - get
{{- end }}
`

func TestACRDBecomesATemplateThatCanBeSwitchedOffAndKept(t *testing.T) {
	got, err := crdTemplate(crd)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(crdAsTemplate, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

func TestACRDInAnotherShapeIsRefused(t *testing.T) {
	if got, err := crdTemplate("kind: CustomResourceDefinition\nspec:\n"); err == nil {
		t.Errorf("got a template:\n%s", got)
	}
}

func TestTheRulesForSecretsAndForOneNamespaceAreTemplatesOfTheirOwn(t *testing.T) {
	got, err := rulesTemplate(role)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(roleAsTemplates, got); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}

func TestARoleWithoutARuleForSecretsIsRefused(t *testing.T) {
	if got, err := rulesTemplate(strings.Replace(role, "  - secrets\n", "", 1)); err == nil {
		t.Errorf("a release would have a role without rules:\n%s", got)
	}
}

func TestARoleBesideTheClusterRoleIsRefused(t *testing.T) {
	both := role + strings.Replace(role, "ClusterRole", "Role", 1)
	if got, err := rulesTemplate(both); err == nil {
		t.Errorf("the rules of the Role would be lost:\n%s", got)
	}
}

func TestATemplateGoesWithItsCRD(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, crdSource, "things.yaml"), crd)
	write(t, filepath.Join(root, rulesSource), role)
	stale := filepath.Join(root, templates, "crds", "removed.yaml")
	write(t, stale, crdAsTemplate)

	if err := generate(root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", stale, err)
	}
	if _, err := os.Stat(filepath.Join(root, templates, "crds", "things.yaml")); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
