// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"context"
	"errors"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Role is what is assumed.
type Role struct {
	// ARN is acs:ram::<account>:role/<name>.
	ARN string
	// SessionName is shown in the audit log of the account: 2 to 64 letters, digits and . @ - _.
	SessionName string
	// Duration is how long the session is to last: from 15 minutes to what the role allows.
	Duration time.Duration
	// ExternalID is what the role's owner asks for, if that is a third party. Only AssumeRole has it.
	ExternalID string
}

// Session is a set of temporary keys.
type Session struct {
	Keys    rpc.Credentials
	Expires time.Time
}

// AssumeRole turns keys into those of a role.
func (c *Client) AssumeRole(ctx context.Context, keys rpc.Credentials, role Role) (Session, error) {
	caller, err := c.signed(keys)
	if err != nil {
		return Session{}, err
	}
	req, resp := sdksts.CreateAssumeRoleRequest(), newSessionResponse()
	req.RoleArn, req.RoleSessionName, req.ExternalId = role.ARN, role.SessionName, role.ExternalID
	req.DurationSeconds = seconds(role.Duration)
	if err := caller.Do(ctx, req, resp); err != nil {
		return Session{}, err
	}
	return resp.session()
}

// oidcRequest has its parameters in the form, as the SDK's own provider sends them, and not in the query as the SDK's
// request does: the token is a credential, and URLs are logged.
type oidcRequest struct {
	*requests.RpcRequest
	RoleArn         string           `position:"Body" name:"RoleArn"`
	OIDCProviderArn string           `position:"Body" name:"OIDCProviderArn"`
	OIDCToken       string           `position:"Body" name:"OIDCToken"`
	RoleSessionName string           `position:"Body" name:"RoleSessionName"`
	DurationSeconds requests.Integer `position:"Body" name:"DurationSeconds"`
}

// AssumeRoleWithOIDC turns a token of an OIDC provider, which the account has registered as providerARN, into keys of a
// role.
func (c *Client) AssumeRoleWithOIDC(ctx context.Context, providerARN, token string, role Role) (Session, error) {
	caller, err := c.unsigned()
	if err != nil {
		return Session{}, err
	}
	req, resp := &oidcRequest{
		RpcRequest: &requests.RpcRequest{}, RoleArn: role.ARN, OIDCProviderArn: providerARN, OIDCToken: token,
		RoleSessionName: role.SessionName, DurationSeconds: seconds(role.Duration),
	}, newSessionResponse()
	req.InitWithApiInfo("Sts", "2015-04-01", "AssumeRoleWithOIDC", "", "")
	req.Method = requests.POST
	if err := caller.Do(ctx, req, resp); err != nil {
		return Session{}, err
	}
	return resp.session()
}

func seconds(d time.Duration) requests.Integer { return requests.NewInteger(int(d / time.Second)) }

type sessionResponse struct {
	*responses.BaseResponse
	Credentials sdksts.Credentials `json:"Credentials"`
}

func newSessionResponse() *sessionResponse {
	return &sessionResponse{BaseResponse: &responses.BaseResponse{}}
}

// Returns the session in the reply, or an error if any part of it is missing.
func (r *sessionResponse) session() (Session, error) {
	given := r.Credentials
	expires, err := time.Parse(time.RFC3339, given.Expiration)
	if err != nil || given.AccessKeyId == "" || given.AccessKeySecret == "" || given.SecurityToken == "" {
		// the answer is not quoted, since it may hold keys
		return Session{}, errors.New("STS answered without the keys of a session, or without their end")
	}
	return Session{Expires: expires, Keys: rpc.Credentials{
		AccessKeyID: given.AccessKeyId, AccessKeySecret: given.AccessKeySecret, SecurityToken: given.SecurityToken,
	}}, nil
}
