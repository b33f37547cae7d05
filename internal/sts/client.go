// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package sts is a client of the Security Token Service: it turns one identity into another, and tells which one it
// is. It hides the SDK, as package cas does.
//
// The SDK has providers that call STS themselves. They take a token from a file only, whereas one that was requested
// for a ServiceAccount is in memory; they go on when nobody waits any more; they answer a failure of the network with
// the signed URL; and each call leaves a transport with its connections behind. See docs/design/0003.
package sts

import (
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// callTimeout bounds a call: a session that is late must not take the time of the call that waits for it.
const callTimeout = 10 * time.Second

// publicURL is that of STS in a region
// (https://alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-endpoint).
func publicURL(region string) string { return fmt.Sprintf("https://sts.%s.aliyuncs.com", region) }

// Client calls STS at one endpoint. It is cheap to construct and safe for concurrent use.
type Client struct {
	endpoint rpc.Endpoint
}

// New returns a client for the endpoint, or for the public one of its region if it has no URL. A mistake in it is told
// by the first call.
func New(endpoint rpc.Endpoint) *Client {
	if endpoint.URL == "" {
		endpoint.URL = publicURL(endpoint.Region)
	}
	return &Client{endpoint: endpoint}
}

func (c *Client) signed(keys rpc.Credentials) (*rpc.Caller, error) {
	return rpc.New(rpc.Config{Endpoint: c.endpoint, Credentials: rpc.StaticCredentials(keys), Timeout: callTimeout, Rate: callRate, Classify: kindOfCode})
}

func (c *Client) unsigned() (*rpc.Caller, error) {
	return rpc.New(rpc.Config{Endpoint: c.endpoint, Unsigned: true, Timeout: callTimeout, Rate: callRate, Classify: kindOfCode})
}

// callRate is the number of calls a second for each API and account. The pages of AssumeRole say 100
// (https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole); other users of the
// account need some.
const callRate = 20
