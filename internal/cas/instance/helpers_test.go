// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"context"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

const testInstance = instance.ID("cas_dv-cn-0123456789a")

func newUpdate() instance.Update {
	return instance.Update{
		CSR:              clients.CSR,
		Names:            []string{"www.example.com"},
		KeyAlgorithm:     instance.KeyECC256,
		ValidationMethod: instance.ValidationDNS,
		ContactIDs:       []string{"86400001"},
		Tags:             map[string]string{"certmanager.aliyun.com/uid": "u-1"},
	}
}

// Returns a client for which it is noon.
func newClient(t testing.TB, url string, change ...func(*cas.Config)) *instance.Client {
	t.Helper()
	return clients.New(t, instance.New, url, change...)
}

type verb = clients.Verb[*instance.Client]

// writes are the verbs that change an instance.
var writes = []verb{
	{Action: "UpdateInstance", Call: func(ctx context.Context, c *instance.Client) (any, error) {
		got := c.Update(ctx, testInstance, newUpdate(), clients.Noon)
		return got, got.Err
	}},
	{Action: "ApplyCertificate", Call: func(ctx context.Context, c *instance.Client) (any, error) {
		got := c.Apply(ctx, testInstance, clients.Noon)
		return got, got.Err
	}},
	{Action: "CancelPendingCertificate", Call: func(ctx context.Context, c *instance.Client) (any, error) {
		got := c.Cancel(ctx, testInstance, clients.Noon)
		return got, got.Err
	}},
}

// verbs are all verbs that the client has.
var verbs = append([]verb{
	{Action: "ListInstances", Call: func(ctx context.Context, c *instance.Client) (any, error) {
		return c.List(ctx, instance.Query{})
	}},
	{Action: "GetInstanceDetail", Call: func(ctx context.Context, c *instance.Client) (any, error) {
		return c.Describe(ctx, testInstance)
	}},
	{Action: "GetTaskAttribute", Call: func(ctx context.Context, c *instance.Client) (any, error) {
		return c.Task(ctx, testInstance)
	}},
	{Action: "GetUserCertificateDetail", Call: func(ctx context.Context, c *instance.Client) (any, error) {
		return c.Certificate(ctx, "7")
	}},
}, writes...)

// tried is this client as the tests see it that both clients of CAS share.
var tried = clients.Tried[*instance.Client]{From: instance.New, Verbs: verbs}
