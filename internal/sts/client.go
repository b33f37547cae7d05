// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package sts is a client of the Security Token Service: it turns one identity into another, and tells which one it
// is. It hides the SDK, as package cas does.
//
// The SDK has providers that call STS themselves. They take a token from a file only, whereas one that was requested
// for a ServiceAccount is in memory; they go on when nobody waits any more; they answer a failure of the network with
// the signed URL; and each call leaves a transport with its connections behind. See
// docs/design/0003-sts-without-the-sdks-providers.md.
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

// Config is what a [Client] needs to know.
type Config struct {
	// Endpoint is where STS is reached; without a URL it is the public endpoint of its region.
	Endpoint rpc.Endpoint
	// Rate is the number of calls a second for each API and account; the default is 20.
	Rate float64
}

// Client calls STS at one endpoint. It is cheap to construct and safe for concurrent use.
type Client struct {
	config Config
}

// New returns a client. The first call returns an error if the endpoint is wrong.
func New(config Config) *Client {
	if config.Endpoint.URL == "" {
		config.Endpoint.URL = publicURL(config.Endpoint.Region)
	}
	if config.Rate <= 0 {
		config.Rate = callRate
	}
	return &Client{config: config}
}

func (c *Client) signed(keys rpc.Credentials) (*rpc.Caller, error) {
	return rpc.New(rpc.Config{Endpoint: c.config.Endpoint, Credentials: rpc.StaticCredentials(keys),
		Timeout: callTimeout, Rate: c.config.Rate, Classify: kindOfCode})
}

func (c *Client) unsigned() (*rpc.Caller, error) {
	return rpc.New(rpc.Config{Endpoint: c.config.Endpoint, Unsigned: true, Timeout: callTimeout, Rate: c.config.Rate,
		Classify: kindOfCode})
}

// callRate is the number of calls a second for each API and account. The pages of AssumeRole say 100
// (https://www.alibabacloud.com/notice/ram20220829); other users of the account need some.
const callRate = 20
