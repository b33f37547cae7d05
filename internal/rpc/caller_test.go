// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestASuccessIsDecodedAndCarriesTheTimeOfTheService(t *testing.T) {
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Mon, 02 Mar 2026 03:04:05 GMT")
		_, _ = w.Write([]byte(`{"RequestId":"R-1","OrderId":98987582437920968,"New":{"Field":[1]}}`))
	}))
	resp := newReply()
	if err := caller.Do(context.Background(), newRequest(), resp); err != nil {
		t.Fatal(err)
	}
	if resp.RequestID != "R-1" || resp.OrderID != "98987582437920968" {
		t.Errorf("decoded request id %q and order id %q", resp.RequestID, resp.OrderID)
	}
	date, ok := Date(resp)
	if want := time.Date(2026, 3, 2, 3, 4, 5, 0, time.UTC); !ok || !date.Equal(want) {
		t.Errorf("date = %v, %v, want %v", date, ok, want)
	}
}

func TestARequestIsASignedPostWithItsParametersInTheQuery(t *testing.T) {
	var got *http.Request
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	}))
	if err := caller.Do(context.Background(), newRequest(), newReply()); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.ContentLength != 0 {
		t.Errorf("got %s with %d bytes, want POST with none", got.Method, got.ContentLength)
	}
	query := got.URL.Query()
	for _, always := range []string{"Signature", "SignatureNonce", "Timestamp"} {
		if query.Get(always) == "" {
			t.Errorf("the query has no %s", always)
		}
		query.Del(always)
	}
	want := url.Values{
		"AccessKeyId":      {testCredentials.AccessKeyID},
		"Action":           {"CreateCertificateWithCsrRequest"},
		"Csr":              {testCSR},
		"Email":            {testEmail},
		"Format":           {"JSON"},
		"Phone":            {testPhone},
		"RegionId":         {"cn-hangzhou"},
		"SecurityToken":    {testCredentials.SecurityToken},
		"SignatureMethod":  {"HMAC-SHA1"},
		"SignatureType":    {""},
		"SignatureVersion": {"1.0"},
		"Username":         {testName},
		"Version":          {"2020-04-07"},
	}
	if diff := cmp.Diff(want, query); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

// signature is what docs/design/cas.md §2.1 says that it is, computed without the SDK.
func signature(query url.Values, secret string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name != "Signature" {
			pairs = append(pairs, escape(name)+"="+escape(query.Get(name)))
		}
	}
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte("POST&%2F&" + escape(strings.Join(pairs, "&"))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestARequestIsSignedWithTheKeysOfTheMoment(t *testing.T) {
	var got url.Values
	keys := []Credentials{testCredentials, {AccessKeyID: "LTAI5tANOTHERkey", AccessKeySecret: "another secret"}}
	var calls int
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query()
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	}), func(c *Config) {
		c.Credentials = CredentialsFunc(func(context.Context) (Credentials, error) {
			calls++
			return keys[calls-1], nil
		})
	})
	for _, key := range keys {
		req := newRequest()
		req.ProductCode = "a b+c*d~e%f&g=h/张"
		if err := caller.Do(context.Background(), req, newReply()); err != nil {
			t.Fatal(err)
		}
		if got.Get("AccessKeyId") != key.AccessKeyID || got.Get("SecurityToken") != key.SecurityToken ||
			got.Has("SecurityToken") != (key.SecurityToken != "") {
			t.Errorf("sent as %s with the token %q", got.Get("AccessKeyId"), got.Get("SecurityToken"))
		}
		if want := signature(got, key.AccessKeySecret); got.Get("Signature") != want {
			t.Errorf("signature %s, want %s", got.Get("Signature"), want)
		}
	}
}

func TestCredentialsThatCannotBeHadAreToldApartAndNothingIsSent(t *testing.T) {
	cause := errors.New("the Secret is gone")
	tests := map[string]struct {
		from CredentialsProvider
		want error
	}{
		"the function fails": {
			from: CredentialsFunc(func(context.Context) (Credentials, error) { return Credentials{}, cause }),
			want: cause,
		},
		"the function panics": {
			from: CredentialsFunc(func(context.Context) (Credentials, error) { panic("nil Expiration") }),
		},
		"the secret is empty": {
			from: StaticCredentials(Credentials{AccessKeyID: "LTAI5tTESTkeyIdentifier"}),
		},
		"the id is empty": {
			from: StaticCredentials(Credentials{AccessKeySecret: "TESTkeySecretTESTkeySecret"}),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			caller := newCaller(t, serving(t, func(http.ResponseWriter, *http.Request) {
				t.Error("a request was sent")
			}), func(c *Config) { c.Credentials = test.from })
			e := failing(t, caller)
			if e.Kind != KindCredentialsUnavailable || e.Sent || !IsNotSent(e) || !IsCredentials(e) {
				t.Errorf("got %#v", *e)
			}
			if test.want != nil && !errors.Is(e, test.want) {
				t.Errorf("%v does not wrap its cause", e)
			}
		})
	}
}

func TestOnlyPostIsSent(t *testing.T) {
	caller := newCaller(t, serving(t, func(http.ResponseWriter, *http.Request) {
		t.Error("a request was sent")
	}))
	req := newRequest()
	req.Method = http.MethodGet
	e := asError(t, caller.Do(context.Background(), req, newReply()))
	if e.Kind != KindInvalid || e.Sent {
		t.Errorf("got %#v", *e)
	}
}

func TestAPanicWithinTheSDKBecomesAnErrorThatTellsWhetherTheRequestWasSent(t *testing.T) {
	caller := newCaller(t, answering(t, http.StatusOK, `{"RequestId":"R-1"}`))
	e := asError(t, caller.Do(context.Background(), newRequest(), &testReply{}))
	if e.Kind != KindUndecodable || !e.Sent {
		t.Errorf("panic in the decoder: got %#v", *e)
	}
	req := newRequest()
	req.QueryParams = nil
	e = asError(t, caller.Do(context.Background(), req, newReply()))
	if e.Kind != KindInvalid || e.Sent {
		t.Errorf("panic in the signer: got %#v", *e)
	}
}

func TestOneCallerServesManyGoroutines(t *testing.T) {
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"RequestId":"` + r.URL.Query().Get("ProductCode") + `"}`))
	}))
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			req, resp := newRequest(), newReply()
			req.ProductCode = "P-" + strconv.Itoa(i)
			if err := caller.Do(context.Background(), req, resp); err != nil {
				t.Error(err)
			}
			if resp.RequestID != req.ProductCode {
				t.Errorf("the answer to %q is that to %q", req.ProductCode, resp.RequestID)
			}
		})
	}
	group.Wait()
}
