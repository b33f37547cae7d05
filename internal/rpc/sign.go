// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/utils"
)

// sign lets the SDK flatten and sign the request, and makes of it one for net/http. The SDK's client lives
// for this call only, since it is racy when shared (https://github.com/aliyun/alibaba-cloud-sdk-go/issues/307).
func (c *Caller) sign(ctx context.Context, req requests.AcsRequest,
	creds Credentials) (signed *http.Request, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			signed, err = nil, fmt.Errorf("the SDK panicked: %v", panicked)
		}
	}()
	if req.GetMethod() != http.MethodPost {
		return nil, errors.New("only POST is sent: net/http repeats a GET of its own accord")
	}
	req.SetScheme(c.scheme)
	req.SetDomain(c.host)
	if c.config.Unsigned {
		err = leaveUnsigned(req)
	} else {
		err = c.putSignature(req, creds)
	}
	if err != nil {
		return nil, withoutURL(err)
	}
	signed, err = http.NewRequestWithContext(ctx, http.MethodPost, req.BuildUrl(), req.GetBodyReader())
	if err != nil {
		return nil, withoutURL(err)
	}
	for name, value := range req.GetHeaders() {
		signed.Header.Set(name, value)
	}
	signed.Header.Set("User-Agent", sdk.DefaultUserAgent+" Extra/aliyun-issuer")
	return signed, nil
}

func (c *Caller) putSignature(req requests.AcsRequest, creds Credentials) error {
	client, err := sdk.NewClientWithOptions(c.config.Endpoint.Region, sdk.NewConfig(), sdkCredentials(creds))
	if err != nil {
		return err
	}
	return client.BuildRequestWithSigner(req, nil)
}

// leaveUnsigned fills in what a request has beside its signature (docs/design/cas.md §7.1).
func leaveUnsigned(req requests.AcsRequest) error {
	if err := requests.InitParams(req); err != nil {
		return err
	}
	query := req.GetQueryParams()
	query["Version"], query["Action"], query["Format"] = req.GetVersion(), req.GetActionName(), req.GetAcceptFormat()
	query["Timestamp"] = utils.GetTimeInFormatISO8601()
	req.GetHeaders()["Content-Type"] = requests.Form
	return nil
}

// sdkCredentials fixes the keys for one signature: a provider that refreshes could change between the id
// and the secret.
func sdkCredentials(creds Credentials) auth.Credential {
	if creds.SecurityToken == "" {
		return credentials.NewStaticAKCredentialsProvider(creds.AccessKeyID, creds.AccessKeySecret)
	}
	return credentials.NewStaticSTSCredentialsProvider(creds.AccessKeyID, creds.AccessKeySecret, creds.SecurityToken)
}

// withoutURL takes from an error the signed URL that it quotes.
func withoutURL(err error) error {
	if quoting, ok := errors.AsType[*url.Error](err); ok {
		return errors.New(strings.TrimSpace(quoting.Err.Error()))
	}
	return err
}
