// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"context"

	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Identity is whom keys belong to.
type Identity struct {
	// Account is the id of the main account.
	Account string
	// ARN names the user, or the role with its session: acs:ram::<account>:user/<name>.
	ARN string
}

// CallerIdentity tells whom the keys belong to. Anybody may ask that of their own keys
// (https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity).
func (c *Client) CallerIdentity(ctx context.Context, keys rpc.Credentials) (Identity, error) {
	caller, err := c.signed(keys)
	if err != nil {
		return Identity{}, err
	}
	resp := sdksts.CreateGetCallerIdentityResponse()
	if err := caller.Do(ctx, sdksts.CreateGetCallerIdentityRequest(), resp); err != nil {
		return Identity{}, err
	}
	return Identity{Account: resp.AccountId, ARN: resp.Arn}, nil
}
