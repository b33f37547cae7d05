// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

const (
	testProduct = "digicert-free-1-free"
	testOrder   = cas.OrderID("98987582437920968")
)

var testContact = cas.Contact{Name: "Zhang San", Email: "zhang.san@example.com", Phone: "+86 138 0000 0000"}

func newApplication() cas.Application {
	return cas.Application{
		CSR:          clients.CSR,
		ProductCode:  testProduct,
		ValidateType: cas.ValidateDNS,
		Contact:      testContact,
		Tags:         map[string]string{"certmanager.aliyun.com/uid": "u-1"},
		StartedAt:    clients.Noon,
	}
}

// newClient is a client for which it is noon.
func newClient(t testing.TB, url string, change ...func(*cas.Config)) *cas.Client {
	t.Helper()
	return clients.New(t, cas.New, url, change...)
}

type verb = clients.Verb[*cas.Client]

// verbs are all that the client can do.
var verbs = []verb{
	{Action: "CreateCertificateWithCsrRequest", Call: func(ctx context.Context, c *cas.Client) (any, error) {
		got := c.Submit(ctx, newApplication())
		return got, got.Err
	}},
	{Action: "DescribeCertificateState", Call: func(ctx context.Context, c *cas.Client) (any, error) {
		return c.Describe(ctx, testOrder)
	}},
	{Action: "ListUserCertificateOrder", Call: func(ctx context.Context, c *cas.Client) (any, error) {
		return c.List(ctx, cas.ListQuery{})
	}},
	{Action: "DescribePackageState", Call: func(ctx context.Context, c *cas.Client) (any, error) {
		return c.Package(ctx, testProduct)
	}},
	{Action: "CancelOrderRequest", Call: func(ctx context.Context, c *cas.Client) (any, error) {
		return nil, c.Cancel(ctx, testOrder)
	}},
	{Action: "DeleteCertificateRequest", Call: func(ctx context.Context, c *cas.Client) (any, error) {
		return nil, c.Delete(ctx, testOrder)
	}},
	{Action: "GetUserCertificateDetail", Call: func(ctx context.Context, c *cas.Client) (any, error) {
		return c.Certificate(ctx, "7")
	}},
}

// tried tries what both clients of CAS have to do.
var tried = clients.Tried[*cas.Client]{From: cas.New, Verbs: verbs,
	Secrets: []string{testContact.Name, testContact.Email, testContact.Phone}}
