// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Package is the resource plan of a product, in numbers of certificates (docs/design/cas.md §3.7).
type Package struct {
	// Total is how many were bought.
	Total int
	// Used is how many were submitted. Whether it falls when an order is deleted is not documented.
	Used int
	// Issued is how many became certificates.
	Issued int
}

// Remaining is how many can still be ordered. It is computed: the service does not send it.
func (p Package) Remaining() int { return max(p.Total-p.Used, 0) }

type packageResponse struct {
	*responses.BaseResponse
	RequestID   string `json:"RequestId"`
	TotalCount  string
	UsedCount   string
	IssuedCount string
}

// Package returns the resource plan for a product code. That there is none is an error for which
// [IsNoPackage] holds. A reply without the total or the used number is an error, too, and they are never taken
// for 0: that the used number has not risen may be a reason to order again.
func (c *Client) Package(ctx context.Context, productCode string) (Package, error) {
	req := sdkcas.CreateDescribePackageStateRequest()
	if productCode == "" {
		return Package{}, invalid(req.GetActionName(), "the product code is empty")
	}
	req.ProductCode = productCode
	resp := &packageResponse{BaseResponse: &responses.BaseResponse{}}
	if err := c.caller.Do(ctx, req, resp); err != nil {
		return Package{}, err
	}
	total, okTotal := rpc.Count(resp.TotalCount)
	used, okUsed := rpc.Count(resp.UsedCount)
	issued, okIssued := rpc.Count(resp.IssuedCount)
	isMissing := resp.TotalCount == "" || resp.UsedCount == ""
	if isMissing || !okTotal || !okUsed || !okIssued {
		return Package{}, undecodable(req.GetActionName(), resp.RequestID, "success without the numbers of the "+
			"resource plan")
	}
	return Package{Total: total, Used: used, Issued: issued}, nil
}
