// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdk "github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Probe asks, with one read call, whether the credentials may read Alibaba Cloud DNS and whether there is any zone.
// Whether they may write is not asked: the first refusal tells.
func (s *Solver) Probe(ctx context.Context) error {
	req, resp := sdk.CreateDescribeDomainsRequest(), sdk.CreateDescribeDomainsResponse()
	req.PageNumber, req.PageSize = requests.NewInteger(1), requests.NewInteger(1)
	if err := s.zoneCalls.Do(ctx, req, resp); err != nil {
		return err
	}
	if resp.Domains.Domain == nil {
		return withoutList(req.GetActionName(), resp.RequestId, "zones")
	}
	if len(resp.Domains.Domain) == 0 {
		return &dcv.Problem{Message: "the Alibaba Cloud DNS account of the solver's credentials has no zone: add " +
			"one there, or use credentials of the account that holds the zones"}
	}
	return nil
}
