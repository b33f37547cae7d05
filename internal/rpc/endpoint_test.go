// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"strings"
	"testing"
)

func TestAnEndpointIsHTTPSOrOnThisHost(t *testing.T) {
	tests := map[string]struct {
		endpoint Endpoint
		want     string
	}{
		"https":               {Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com"}, ""},
		"https with a port":   {Endpoint{Region: "cn-hangzhou", URL: "https://cas.example.com:8443/"}, ""},
		"http to localhost":   {Endpoint{Region: "cn-hangzhou", URL: "http://localhost:8080"}, ""},
		"http to 127.0.0.0/8": {Endpoint{Region: "cn-hangzhou", URL: "http://127.9.9.9"}, ""},
		"http to ::1":         {Endpoint{Region: "cn-hangzhou", URL: "http://[::1]:8080"}, ""},
		"http to another host": {Endpoint{Region: "cn-hangzhou", URL: "http://cas.aliyuncs.com"},
			"must be https"},
		"http to a private address": {Endpoint{Region: "cn-hangzhou", URL: "http://10.0.0.1"}, "must be https"},
		"http to a name like local": {Endpoint{Region: "cn-hangzhou", URL: "http://localhost.example.com"},
			"must be https"},
		"another scheme": {Endpoint{Region: "cn-hangzhou", URL: "ftp://cas.aliyuncs.com"},
			"must begin with https"},
		"no scheme": {Endpoint{Region: "cn-hangzhou", URL: "cas.aliyuncs.com"},
			"scheme and host only"},
		"a path": {Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com/v1"},
			"scheme and host only"},
		"a query": {Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com?a=b"},
			"scheme and host only"},
		"a password": {Endpoint{Region: "cn-hangzhou", URL: "https://user:hunter2@cas.aliyuncs.com"},
			"scheme and host only"},
		"a password in an ill URL":   {Endpoint{Region: "cn-hangzhou", URL: "https://user:hunter2@%zz"}, "not a URL"},
		"no URL":                     {Endpoint{Region: "cn-hangzhou"}, "scheme and host only"},
		"no region":                  {Endpoint{URL: "https://cas.aliyuncs.com"}, "region"},
		"a region that is no region": {Endpoint{Region: "cn hangzhou", URL: "https://cas.aliyuncs.com"}, "region"},
		"a CA bundle without PEM": {
			Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com", CABundle: []byte("x")},
			"no PEM certificate"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(Config{Endpoint: test.endpoint, Credentials: StaticCredentials(testCredentials)})
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want an error with %q", err, test.want)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the error quotes the password: %v", err)
			}
		})
	}
}

func TestACallerNeedsASourceOfCredentials(t *testing.T) {
	if _, err := New(Config{Endpoint: Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com"}}); err == nil {
		t.Error("accepted")
	}
}

func TestARealmIsThatOfTheServersBehindAnEndpoint(t *testing.T) {
	own := []byte("-----BEGIN CERTIFICATE-----")
	for name, test := range map[string]struct {
		a, b Endpoint
		same bool
	}{
		"two documented endpoints": {Endpoint{URL: "https://cas.aliyuncs.com"},
			Endpoint{URL: "https://sts-vpc.cn-hangzhou.aliyuncs.com/"}, true},
		"a documented one and the default": {Endpoint{URL: "https://cas.aliyuncs.com"}, Endpoint{}, true},
		"a documented one, and one of a customer": {Endpoint{URL: "https://cas.aliyuncs.com"},
			Endpoint{URL: "https://cas.alb.aliyuncs.com"}, false},
		"a documented one where another CA vouches": {Endpoint{URL: "https://cas.aliyuncs.com"},
			Endpoint{URL: "https://cas.aliyuncs.com", CABundle: own}, false},
		"the default where another CA vouches": {Endpoint{}, Endpoint{CABundle: own}, false},
		"two of two customers": {Endpoint{URL: "https://a.example.com"},
			Endpoint{URL: "https://b.example.com"}, false},
		"one host by two CAs": {Endpoint{URL: "https://a.example.com"},
			Endpoint{URL: "https://a.example.com", CABundle: own}, false},
		"one host for two regions": {Endpoint{URL: "https://a.example.com", Region: "cn-hangzhou"},
			Endpoint{URL: "https://a.example.com", Region: "ap-southeast-1"}, true},
		"a URL that is none, and a documented one": {Endpoint{URL: "https://%zz"}, Endpoint{}, false},
		"a name that is another's realm":           {Endpoint{URL: AlibabaCloud}, Endpoint{}, false},
	} {
		if got := test.a.Realm() == test.b.Realm(); got != test.same {
			t.Errorf("%s: the same: %v", name, got)
		}
	}
}
