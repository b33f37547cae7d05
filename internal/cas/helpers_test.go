// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// The values below are what must never appear in an error.
var testCredentials = rpc.Credentials{
	AccessKeyID:     "LTAI5tTESTkeyIdentifier",
	AccessKeySecret: "TESTkeySecretTESTkeySecret",
	SecurityToken:   "CAISTESTsecurityToken+/=",
}

const (
	testCSR     = "-----BEGIN CERTIFICATE REQUEST-----\nMIIBTESTcsr\n-----END CERTIFICATE REQUEST-----\n"
	testProduct = "digicert-free-1-free"
	testOrder   = cas.OrderID("98987582437920968")
)

var testContact = cas.Contact{Name: "Zhang San", Email: "zhang.san@example.com", Phone: "+86 138 0000 0000"}

// testRate keeps the buckets, which the whole process shares, out of the tests that are not about them.
const testRate = 1e6

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newApplication() cas.Application {
	return cas.Application{
		CSR:          testCSR,
		ProductCode:  testProduct,
		ValidateType: cas.ValidateDNS,
		Contact:      testContact,
		Tags:         map[string]string{"certmanager.aliyun.com/uid": "u-1"},
		StartedAt:    noon,
	}
}

// newClient is a client for which it is noon.
func newClient(t testing.TB, url string, change ...func(*cas.Config)) *cas.Client {
	t.Helper()
	config := cas.Config{
		Endpoint:    rpc.Endpoint{Region: "cn-hangzhou", URL: url},
		Credentials: rpc.StaticCredentials(testCredentials),
		Rate:        testRate,
		Timeout:     10 * time.Second,
		Now:         func() time.Time { return noon },
	}
	for _, f := range change {
		f(&config)
	}
	client, err := cas.New(config)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return client
}

func serving(t testing.TB, handler http.HandlerFunc) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answering is a service that gives the same answer to every call.
func answering(t *testing.T, status int, body string) (url string) {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// unreached is a service that no call may reach.
func unreached(t *testing.T) (url string) {
	t.Helper()
	return serving(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was sent", r.URL.Query().Get("Action"))
	})
}

// hangUp ends the connection without an answer.
func hangUp(t *testing.T, w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_ = conn.Close()
}

// verb is one call of the client, with the name of its API.
type verb struct {
	action string
	call   func(context.Context, *cas.Client) (result any, err error)
}

// verbs are all that the client can do.
var verbs = []verb{
	{"CreateCertificateWithCsrRequest", func(ctx context.Context, c *cas.Client) (any, error) {
		got := c.Submit(ctx, newApplication())
		return got, got.Err
	}},
	{"DescribeCertificateState", func(ctx context.Context, c *cas.Client) (any, error) {
		return c.Describe(ctx, testOrder)
	}},
	{"ListUserCertificateOrder", func(ctx context.Context, c *cas.Client) (any, error) {
		return c.List(ctx, cas.ListQuery{})
	}},
	{"DescribePackageState", func(ctx context.Context, c *cas.Client) (any, error) {
		return c.Package(ctx, testProduct)
	}},
	{"CancelOrderRequest", func(ctx context.Context, c *cas.Client) (any, error) {
		return nil, c.Cancel(ctx, testOrder)
	}},
	{"DeleteCertificateRequest", func(ctx context.Context, c *cas.Client) (any, error) {
		return nil, c.Delete(ctx, testOrder)
	}},
	{"GetUserCertificateDetail", func(ctx context.Context, c *cas.Client) (any, error) {
		return c.Certificate(ctx, "7")
	}},
}

func asError(t testing.TB, err error) *cas.Error {
	t.Helper()
	e, ok := errors.AsType[*cas.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}
