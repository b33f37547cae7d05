// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
)

// CertIdentifier returns by what other services of Alibaba Cloud (ALB, NLB) know a certificate: its id in the store of
// a site, and the site's region (docs/design/cas.md §4.4). Returns "" for a certificate without an id.
func CertIdentifier(certID, region string) string {
	if certID == "" {
		return ""
	}
	return certID + "-" + region
}

// certificateResponse has no field for the Key that the reply may hold, so that it is dropped here.
type certificateResponse struct {
	*responses.BaseResponse
	RequestID string `json:"RequestId"`
	Cert      string
}

// Certificate returns what the store of CAS holds under an Order's CertID: PEM, the leaf and perhaps its
// issuers. It is for orders whose own Certificate is a lone leaf, and needs a permission of its own
// (docs/design/cas.md §3.10).
func (c *Client) Certificate(ctx context.Context, certID string) (pem string, err error) {
	req := sdkcas.CreateGetUserCertificateDetailRequest()
	if _, ok := ParseOrderID(certID); !ok {
		return "", invalid(req.GetActionName(), "the certificate id is not a positive integer")
	}
	req.CertId = requests.Integer(certID)
	resp := &certificateResponse{BaseResponse: &responses.BaseResponse{}}
	if err := c.caller.Do(ctx, req, resp); err != nil {
		return "", err
	}
	if resp.Cert == "" {
		return "", undecodable(req.GetActionName(), resp.RequestID, "success without the certificate")
	}
	return resp.Cert, nil
}
