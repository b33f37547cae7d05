// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
)

// Cancel withdraws an order that waits for validation or is in review. It then goes to StatePayed, which may take a
// while; its quota comes back only with Delete. In other states the error is one for which [IsWrongState] holds
// (https://alibabacloud.com/help/en/ssl-certificate/developer-reference/api-cas-2020-04-07-cancelorderrequest).
func (c *Client) Cancel(ctx context.Context, id OrderID) error {
	req := sdkcas.CreateCancelOrderRequestRequest()
	req.OrderId = requests.Integer(id)
	return c.change(ctx, req, id)
}

// Delete removes an order in StateVerifyFail or StatePayed, and gives its quota back. In other states the
// error is one for which [IsWrongState] holds (docs/design/cas.md §3.8).
func (c *Client) Delete(ctx context.Context, id OrderID) error {
	req := sdkcas.CreateDeleteCertificateRequestRequest()
	req.OrderId = requests.Integer(id)
	return c.change(ctx, req, id)
}

// change makes a call whose reply says no more than that it worked. It is safe to repeat: a second call
// finds the order in another state, or gone.
func (c *Client) change(ctx context.Context, req requests.AcsRequest, id OrderID) error {
	if _, ok := ParseOrderID(string(id)); !ok {
		return invalid(req.GetActionName(), notAnID)
	}
	return c.caller.Do(ctx, req, &changeResponse{BaseResponse: &responses.BaseResponse{}})
}

type changeResponse struct {
	*responses.BaseResponse
	RequestID string `json:"RequestId"`
}
