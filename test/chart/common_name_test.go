// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"strings"
	"testing"
	"time"

	"github.com/cert-manager/cert-manager/pkg/apis/certmanager"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// TestACertificateOfOursGetsACommonName applies Certificates as people and cert-manager's shims write them, where the
// chart gives them a common name.
func TestACertificateOfOursGetsACommonName(t *testing.T) {
	kube := env.Client(t)
	namespace := env.Namespace(t, kube)
	install(t, namespace, "commonNamePolicy.enabled=true", "namespaces={"+namespace+"}")
	long := strings.Repeat("a", 50) + ".apps.example.com" // 67 characters
	ours := func(change func(*cmapi.CertificateSpec), names ...string) *cmapi.Certificate {
		certificate := &cmapi.Certificate{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "x-", Namespace: namespace},
			Spec: cmapi.CertificateSpec{
				SecretName: "tls", DNSNames: names,
				IssuerRef: cmmeta.IssuerReference{Group: v1alpha1.Group, Kind: v1alpha1.AliyunClusterIssuerKind,
					Name: "cas"},
			},
		}
		if change != nil {
			change(&certificate.Spec)
		}
		return certificate
	}
	made := func(t *testing.T, certificate *cmapi.Certificate) string {
		t.Helper()
		if err := kube.Create(t.Context(), certificate, client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		return certificate.Spec.CommonName
	}
	for deadline := time.Now().Add(env.Patience); made(t, ours(nil, "www.example.com")) == ""; time.Sleep(
		100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the API server never applies the policy")
		}
	}
	for name, test := range map[string]struct {
		certificate *cmapi.Certificate
		want        string
	}{
		"the first name":           {ours(nil, "www.example.com", "example.com"), "www.example.com"},
		"a wildcard":               {ours(nil, "*.example.com", "example.com"), "*.example.com"},
		"the first name that fits": {ours(nil, long, "short.example.com"), "short.example.com"},
		"no name that fits":        {ours(nil, long), ""},
		"no names at all":          {ours(nil), ""},
		"one that was written": {
			ours(func(s *cmapi.CertificateSpec) { s.CommonName = "example.com" }, "www.example.com", "example.com"),
			"example.com"},
		"a subject that was written": {
			ours(func(s *cmapi.CertificateSpec) { s.LiteralSubject = "CN=example.com" }, "www.example.com"), ""},
		"another issuer": {
			ours(func(s *cmapi.CertificateSpec) { s.IssuerRef.Group = certmanager.GroupName }, "www.example.com"), ""},
		"an issuer without a group": {
			ours(func(s *cmapi.CertificateSpec) { s.IssuerRef.Group = "" }, "www.example.com"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := made(t, test.certificate); got != test.want {
				t.Errorf("the common name is %q, want %q", got, test.want)
			}
		})
	}
	elsewhere := ours(nil, "www.example.com")
	elsewhere.Namespace = env.Namespace(t, kube)
	if got := made(t, elsewhere); got != "" {
		t.Errorf("in a namespace that is not served the common name is %q", got)
	}
}

func TestAnOlderClusterIsToldThatItHasNoCommonNamePolicy(t *testing.T) {
	out, err := helm(t, "template", "x", folder, "--kube-version", "1.35.4", "--set", "commonNamePolicy.enabled=true")
	if err == nil || !strings.Contains(out, "needs Kubernetes 1.36 or later, and this is v1.35.4") {
		t.Errorf("helm says %q (%v)", out, err)
	}
}
