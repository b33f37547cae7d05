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
		"https":                      {Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com"}, ""},
		"https with a port":          {Endpoint{Region: "cn-hangzhou", URL: "https://cas.example.com:8443/"}, ""},
		"http to localhost":          {Endpoint{Region: "cn-hangzhou", URL: "http://localhost:8080"}, ""},
		"http to 127.0.0.0/8":        {Endpoint{Region: "cn-hangzhou", URL: "http://127.9.9.9"}, ""},
		"http to ::1":                {Endpoint{Region: "cn-hangzhou", URL: "http://[::1]:8080"}, ""},
		"http to another host":       {Endpoint{Region: "cn-hangzhou", URL: "http://cas.aliyuncs.com"}, "must be https"},
		"http to a private address":  {Endpoint{Region: "cn-hangzhou", URL: "http://10.0.0.1"}, "must be https"},
		"http to a name like local":  {Endpoint{Region: "cn-hangzhou", URL: "http://localhost.example.com"}, "must be https"},
		"another scheme":             {Endpoint{Region: "cn-hangzhou", URL: "ftp://cas.aliyuncs.com"}, "must begin with https"},
		"no scheme":                  {Endpoint{Region: "cn-hangzhou", URL: "cas.aliyuncs.com"}, "scheme and host only"},
		"a path":                     {Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com/v1"}, "scheme and host only"},
		"a query":                    {Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com?a=b"}, "scheme and host only"},
		"a password":                 {Endpoint{Region: "cn-hangzhou", URL: "https://user:hunter2@cas.aliyuncs.com"}, "scheme and host only"},
		"a password in an ill URL":   {Endpoint{Region: "cn-hangzhou", URL: "https://user:hunter2@%zz"}, "not a URL"},
		"no URL":                     {Endpoint{Region: "cn-hangzhou"}, "scheme and host only"},
		"no region":                  {Endpoint{URL: "https://cas.aliyuncs.com"}, "region"},
		"a region that is no region": {Endpoint{Region: "cn hangzhou", URL: "https://cas.aliyuncs.com"}, "region"},
		"a CA bundle without PEM":    {Endpoint{Region: "cn-hangzhou", URL: "https://cas.aliyuncs.com", CABundle: []byte("x")}, "no PEM certificate"},
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
