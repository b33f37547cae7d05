// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/google/go-cmp/cmp"
)

// remembering is a provider that remembers what it was told.
type remembering struct {
	keys    Credentials
	refused []Credentials
}

func (r *remembering) Credentials(context.Context) (Credentials, error) { return r.keys, nil }
func (r *remembering) Refused(keys Credentials, why *Error) error {
	r.refused = append(r.refused, keys)
	return meaning(why.Code)
}

// meaning is what people are told.
type meaning string

func (m meaning) Error() string { return string(m) }

func TestAProviderLearnsWhenItsCredentialsAreRefusedAndOnlyThen(t *testing.T) {
	for code, want := range map[string]int{
		"InvalidSecurityToken.Expired": 1,
		"InvalidAccessKeyId.NotFound":  1,
		"SignatureDoesNotMatch":        1,
		"Forbidden.RAM":                0,
		"Throttling.User":              0,
		"InternalError":                0,
		"InvalidTimeStamp.Expired":     0,
	} {
		provider := &remembering{keys: testCredentials}
		caller := newCaller(t, answering(t, http.StatusBadRequest, `{"RequestId":"R-1","Code":"`+code+
			`","Message":"no"}`),
			func(c *Config) { c.Credentials = provider })
		told, isTold := errors.AsType[meaning](error(failing(t, caller)))
		if isTold != (want > 0) || isTold && string(told) != code {
			t.Errorf("%s: people are told %q", code, told)
		}
		if len(provider.refused) != want {
			t.Errorf("%s: told %d times, want %d", code, len(provider.refused), want)
		}
		for _, keys := range provider.refused {
			if keys != testCredentials {
				t.Errorf("%s: told of other keys", code)
			}
		}
	}
}

// tokenRequest has its token in the form.
type tokenRequest struct {
	*requests.RpcRequest
	RoleArn   string `position:"Body" name:"RoleArn"`
	OIDCToken string `position:"Body" name:"OIDCToken"`
}

const testToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

func newTokenRequest() *tokenRequest {
	req := &tokenRequest{RpcRequest: &requests.RpcRequest{}, RoleArn: "acs:ram::1:role/a b", OIDCToken: testToken}
	req.InitWithApiInfo("Sts", "2015-04-01", "AssumeRoleWithOIDC", "", "")
	req.Method = requests.POST
	return req
}

func unsigned(c *Config) { c.Credentials, c.Unsigned = nil, true }

func TestAnUnsignedCallHasItsTokenInTheFormAndNothingThatSigns(t *testing.T) {
	var query, form url.Values
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.Query()
		body, _ := io.ReadAll(r.Body)
		form, _ = url.ParseQuery(string(body))
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	}), unsigned)
	if err := caller.Do(t.Context(), newTokenRequest(), newReply()); err != nil {
		t.Fatal(err)
	}
	if query.Get("Timestamp") == "" {
		t.Error("there is no timestamp")
	}
	query.Del("Timestamp")
	if diff := cmp.Diff(url.Values{"Action": {"AssumeRoleWithOIDC"}, "Version": {"2015-04-01"}, "Format": {"JSON"}},
		query); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(url.Values{"RoleArn": {"acs:ram::1:role/a b"}, "OIDCToken": {testToken}}, form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

func TestATokenIsNeverQuotedWhateverTheServerSays(t *testing.T) {
	caller := newCaller(t, answering(t, http.StatusUnauthorized,
		`{"RequestId":"R-1","Code":"AuthenticationFail.OIDCToken.Invalid","Message":"bad: `+testToken+
			` and eyJhbGciOiJub25lIn0.e30."}`), unsigned)
	e := asError(t, caller.Do(t.Context(), newTokenRequest(), newReply()))
	if want := "bad: [redacted] and [redacted]"; e.Message != want {
		t.Errorf("got %q, want %q", e.Message, want)
	}
}

func TestASignedCallNeedsCredentials(t *testing.T) {
	if _, err := New(Config{Endpoint: Endpoint{Region: "cn-hangzhou", URL: "https://example.com"}}); err == nil ||
		err.Error() != "no source of credentials is given" {
		t.Errorf("got %v", err)
	}
}
