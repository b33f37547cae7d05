// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

var (
	byItsToken    = v1alpha1.Credentials{OIDC: &v1alpha1.OIDCCredentials{ServiceAccountRef: &v1alpha1.ServiceAccountReference{Name: "team"}}}
	theController = v1alpha1.Credentials{OIDC: &v1alpha1.OIDCCredentials{}}
)

func TestAnIssuerNamesOnlyHostsThatTheOperatorAllows(t *testing.T) {
	policy := Policy{OwnIdentityForIssuers: true, EndpointHosts: []string{".aliyuncs.com", "cas.example.com"}}
	for url, reason := range map[string]string{
		"https://cas-vpc.cn-hangzhou.aliyuncs.com":    "",
		"https://CAS.Aliyuncs.com":                    "",
		"https://cas.aliyuncs.com:8443":               "",
		"https://cas.example.com":                     "",
		"https://aliyuncs.com":                        v1alpha1.ReasonEndpointNotAllowed,
		"https://badaliyuncs.com":                     v1alpha1.ReasonEndpointNotAllowed,
		"https://cas.aliyuncs.com.example.net":        v1alpha1.ReasonEndpointNotAllowed,
		"https://cas.aliyuncs.com.":                   v1alpha1.ReasonEndpointNotAllowed,
		"https://below.cas.example.com":               v1alpha1.ReasonEndpointNotAllowed,
		"https://cas.aliyuncs.com@10.0.0.1":           v1alpha1.ReasonEndpointNotAllowed,
		"https://10.0.0.1":                            v1alpha1.ReasonEndpointNotAllowed,
		"http://127.0.0.1:8080":                       v1alpha1.ReasonEndpointNotAllowed,
		"http://[::1]:8080":                           v1alpha1.ReasonEndpointNotAllowed,
		"https://metadata.example.net/?.aliyuncs.com": v1alpha1.ReasonEndpointNotAllowed,
		"https://kubernetes.default.svc":              v1alpha1.ReasonEndpointNotAllowed,
		"://":                                         v1alpha1.ReasonEndpointNotAllowed,
	} {
		endpoint := &v1alpha1.Endpoint{URL: url}
		for _, from := range []v1alpha1.Credentials{keyCredentials(), byItsToken} {
			if got := reasonOf(policy.allows(v1alpha1.AliyunIssuerKind, from, endpoint)); got != reason {
				t.Errorf("%s: got %q, want %q", url, got, reason)
			}
		}
		if err := policy.allows(v1alpha1.AliyunClusterIssuerKind, theController, endpoint); err != nil {
			t.Errorf("%s is refused to an operator: %v", url, err)
		}
		for _, own := range []v1alpha1.Credentials{{}, theController, {ECSRAMRole: &v1alpha1.ECSRAMRoleCredentials{}}, {AssumeRole: &v1alpha1.AssumeRole{}}} {
			if got := reasonOf(policy.allows(v1alpha1.AliyunIssuerKind, own, endpoint)); got != v1alpha1.ReasonCredentialsNotAllowed {
				t.Errorf("%s with the controller's own identity: got %q", url, got)
			}
		}
	}
	if err := policy.allows(v1alpha1.AliyunIssuerKind, v1alpha1.Credentials{}, nil); err != nil {
		t.Errorf("Alibaba Cloud's own endpoint is refused: %v", err)
	}
}

func TestNobodyMayUseTheControllersIdentityUnlessTheOperatorSaysSo(t *testing.T) {
	for _, policy := range []Policy{{}, {OwnIdentityForIssuers: true}, {OwnIdentityForClusterIssuers: true}} {
		if policy.mayUseOwn(v1alpha1.AliyunIssuerKind) != policy.OwnIdentityForIssuers || policy.mayUseOwn(v1alpha1.AliyunClusterIssuerKind) != policy.OwnIdentityForClusterIssuers {
			t.Errorf("%+v is not what holds", policy)
		}
	}
}

func reasonOf(err error) string {
	if problem, ok := errors.AsType[*credentials.Problem](err); ok {
		return problem.Reason
	}
	return ""
}

func TestACallEndsWhenTheIssuerSaysSo(t *testing.T) {
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	remote := &Remote{
		Secrets: &credentials.Store{Reader: fakeCluster(t, keySecret()), STSRate: 1e6}, Clock: clock.RealClock{}, Policy: Policy{EndpointHosts: []string{"127.0.0.1"}},
	}
	nowhere := &v1alpha1.Endpoint{URL: "http://127.0.0.1:1"}
	calls, err := remote.cas(reach{namespace: "team", Access: v1alpha1.Access{
		Region: v1alpha1.RegionChina, Endpoint: &v1alpha1.Endpoint{URL: server.URL}, STSEndpoint: nowhere, Credentials: keyCredentials(),
		CallTimeout: &metav1.Duration{Duration: time.Second},
	}}, remote.Secrets)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := calls.Describe(t.Context(), "1"); cas.KindOf(err) != cas.KindNetwork {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 10*time.Second { // the default is 15 s
		t.Errorf("it took %s", took)
	}
}
