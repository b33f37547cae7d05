// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"fmt"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Config is what a [Client] needs to know.
type Config struct {
	// Endpoint selects the site by its region. Its URL may be empty: then it is the public endpoint of
	// that site.
	Endpoint rpc.Endpoint
	// Credentials is asked once for each call.
	Credentials rpc.CredentialsProvider
	// Rate is the number of calls a second for each API; the default is [rpc.DefaultRate].
	Rate float64
	// Timeout bounds every call but Submit; the default is [rpc.DefaultTimeout].
	Timeout time.Duration
	// Now is the clock that Application.StartedAt is compared with; the default is time.Now.
	Now func() time.Time
}

// Client calls CAS for one account at one site. It is cheap to construct and safe for concurrent use.
type Client struct {
	caller *rpc.Caller
}

// sites are the public endpoints. Other regions have none of their own, and what the SDK would choose for
// them is the China site, where international accounts do not exist (docs/design/cas.md §2.5,
// https://alibabacloud.com/help/en/ssl-certificate/developer-reference/endpoints).
var sites = map[string]string{
	"cn-hangzhou":    "https://cas.aliyuncs.com",
	"ap-southeast-1": "https://cas.ap-southeast-1.aliyuncs.com",
}

// New checks the configuration; it does not call the service. Its errors are safe to show.
func New(config Config) (*Client, error) {
	caller, err := config.Caller()
	if err != nil {
		return nil, err
	}
	return &Client{caller: caller}, nil
}

// Caller is what a client of CAS makes its calls with. It is for the packages below this one, which speak other verbs
// of the same service: its errors have the kinds of this package.
func (config Config) Caller() (*rpc.Caller, error) {
	if config.Endpoint.URL == "" {
		url, ok := sites[config.Endpoint.Region]
		if !ok {
			return nil, fmt.Errorf("CAS has no public endpoint for the region %q: use cn-hangzhou or "+
				"ap-southeast-1, or give the endpoint", config.Endpoint.Region)
		}
		config.Endpoint.URL = url
	}
	return rpc.New(rpc.Config{
		Endpoint:    config.Endpoint,
		Credentials: config.Credentials,
		Rate:        config.Rate,
		Timeout:     config.Timeout,
		Classify:    kindOfCode,
		Now:         config.Now,
	})
}

// undecodable is the error for a reply that lacks what it must have.
func undecodable(action, requestID, message string) *Error {
	return &Error{Action: action, Kind: KindUndecodable, HTTPStatus: 200, RequestID: requestID, Message: message,
		Sent: true}
}

// invalid is the error for a request that is refused here, before it is sent.
func invalid(action, message string) *Error {
	return &Error{Action: action, Kind: KindInvalid, Message: message}
}
