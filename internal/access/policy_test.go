// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

var (
	byItsToken = v1alpha1.Credentials{
		OIDC: &v1alpha1.OIDCCredentials{ServiceAccountRef: &v1alpha1.ServiceAccountReference{Name: "team"}}}
	theController = v1alpha1.Credentials{OIDC: &v1alpha1.OIDCCredentials{}}
)

func TestAnIssuerNamesOnlyHostsThatAreDocumentedOrThatTheOperatorAllows(t *testing.T) {
	const refused = v1alpha1.ReasonEndpointNotAllowed
	policy := Policy{OwnIdentityForIssuers: true, EndpointHosts: []string{".corp.example", "cas.example.com"}}
	for url, want := range map[string]struct{ plain, withBundle string }{
		"https://cas-vpc.cn-hangzhou.aliyuncs.com":    {"", refused},
		"https://sts.ap-southeast-1.aliyuncs.com":     {"", refused},
		"https://alidns.aliyuncs.com":                 {"", refused},
		"https://CAS.Aliyuncs.com":                    {"", refused},
		"https://cas.aliyuncs.com:8443":               {"", refused},
		"https://cas.example.com":                     {"", ""},
		"https://cas.corp.example":                    {"", ""},
		"https://corp.example":                        {refused, refused},
		"https://badcorp.example":                     {refused, refused},
		"https://aliyuncs.com":                        {refused, refused},
		"https://ecs.aliyuncs.com":                    {refused, refused},
		"https://xxx.alb.aliyuncs.com":                {refused, refused},
		"https://cas.alb.aliyuncs.com":                {refused, refused},
		"https://sts.oss-cn-hangzhou.aliyuncs.com":    {refused, refused},
		"https://badaliyuncs.com":                     {refused, refused},
		"https://cas.aliyuncs.com.example.net":        {refused, refused},
		"https://cas.aliyuncs.com.":                   {refused, refused},
		"https://below.cas.example.com":               {refused, refused},
		"https://cas.aliyuncs.com@10.0.0.1":           {refused, refused},
		"https://10.0.0.1":                            {refused, refused},
		"http://127.0.0.1:8080":                       {refused, refused},
		"http://[::1]:8080":                           {refused, refused},
		"https://metadata.example.net/?.corp.example": {refused, refused},
		"https://kubernetes.default.svc":              {refused, refused},
		"://":                                         {refused, refused},
	} {
		endpoint, withBundle := &v1alpha1.Endpoint{URL: url}, &v1alpha1.Endpoint{URL: url, CABundle: []byte("x")}
		for _, from := range []v1alpha1.Credentials{{AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{}}, byItsToken} {
			if got := reasonOf(policy.allows(v1alpha1.AliyunIssuerKind, from, endpoint)); got != want.plain {
				t.Errorf("%s: got %q, want %q", url, got, want.plain)
			}
			if got := reasonOf(policy.allows(v1alpha1.AliyunIssuerKind, from, withBundle)); got != want.withBundle {
				t.Errorf("%s with a CA of its author: got %q, want %q", url, got, want.withBundle)
			}
		}
		if err := policy.allows(v1alpha1.AliyunClusterIssuerKind, theController, withBundle); err != nil {
			t.Errorf("%s is refused to an operator: %v", url, err)
		}
		for _, own := range []v1alpha1.Credentials{{}, theController, {ECSRAMRole: &v1alpha1.ECSRAMRoleCredentials{}},
			{AssumeRole: &v1alpha1.AssumeRole{}}} {
			if got := reasonOf(policy.allows(v1alpha1.AliyunIssuerKind, own,
				endpoint)); got != v1alpha1.ReasonCredentialsNotAllowed {
				t.Errorf("%s with the controller's own identity: got %q", url, got)
			}
		}
	}
	if err := policy.allows(v1alpha1.AliyunIssuerKind, v1alpha1.Credentials{}, nil); err != nil {
		t.Errorf("Alibaba Cloud's own endpoint is refused: %v", err)
	}
}

func TestAnIssuerHasOnlyNameServersUpdatedThatTheOperatorAllows(t *testing.T) {
	policy := Policy{Nameservers: []string{"ns1.example.com", "NS2.example.com:5353", "[2001:db8::1]"}}
	for server, isAllowed := range map[string]bool{
		"ns1.example.com": true, "ns1.example.com:53": true, "NS1.Example.com": true, "ns2.example.com:5353": true,
		"[2001:db8::1]:53":     true,
		"ns1.example.com:5353": false, "ns2.example.com": false, "below.ns1.example.com": false, "example.com": false,
		"[2001:db8::2]": false, "": false,
	} {
		want := v1alpha1.ReasonNameserverNotAllowed
		if isAllowed {
			want = ""
		}
		if got := reasonOf(policy.allowsNameserver(v1alpha1.AliyunIssuerKind, server)); got != want {
			t.Errorf("%s: got %q, want %q", server, got, want)
		}
		if got := reasonOf(Policy{}.allowsNameserver(v1alpha1.AliyunIssuerKind,
			server)); got != v1alpha1.ReasonNameserverNotAllowed {
			t.Errorf("%s where none is listed: got %q", server, got)
		}
		if err := policy.allowsNameserver(v1alpha1.AliyunClusterIssuerKind, server); err != nil {
			t.Errorf("%s is refused to an operator: %v", server, err)
		}
	}
}

func TestNobodyMayUseTheControllersIdentityUnlessTheOperatorSaysSo(t *testing.T) {
	for _, policy := range []Policy{{}, {OwnIdentityForIssuers: true}, {OwnIdentityForClusterIssuers: true}} {
		if policy.mayUseOwn(v1alpha1.AliyunIssuerKind) != policy.OwnIdentityForIssuers ||
			policy.mayUseOwn(v1alpha1.AliyunClusterIssuerKind) != policy.OwnIdentityForClusterIssuers {
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
