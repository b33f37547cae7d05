// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Client calls CAS for one account at one site. It is cheap to construct and safe for concurrent use.
type Client struct {
	caller *rpc.Caller
	store  *cas.Client
}

// New checks the configuration; it does not call the service. Its errors are safe to show.
func New(config cas.Config) (*Client, error) {
	store, err := cas.New(config)
	if err != nil {
		return nil, err
	}
	caller, err := config.Caller()
	if err != nil {
		return nil, err
	}
	return &Client{caller: caller, store: store}, nil
}

// request is a call of any verb of this package. The newest SDK of this generation has none of these verbs, so
// parameters are set by name.
type request struct {
	*requests.RpcRequest
}

func newRequest(action string) *request {
	req := &request{RpcRequest: &requests.RpcRequest{}}
	req.InitWithApiInfo("cas", "2020-04-07", action, "cas", "openAPI")
	req.Method = requests.POST
	return req
}

// Sets a parameter, unless the value is empty.
func (r *request) set(name, value string) {
	if value != "" {
		r.QueryParams[name] = value
	}
}

// reply is what every answer has. The replies that embed it have no field for keys and personal data, so that the
// decoder drops these. Every field is text, because the SDK's decoder then takes numbers without loss.
type reply struct {
	*responses.BaseResponse
	RequestID string `json:"RequestId"`
}

func newReply() reply { return reply{BaseResponse: &responses.BaseResponse{}} }

// Returns the error for a reply that lacks what it must have.
func undecodable(action, requestID, message string) *cas.Error {
	return &cas.Error{
		Action: action, Kind: cas.KindUndecodable, HTTPStatus: 200, RequestID: requestID, Message: message, Sent: true,
	}
}

// Returns the error for a request that is refused here, before it is sent.
func invalid(action, message string) *cas.Error {
	return &cas.Error{Action: action, Kind: cas.KindInvalid, Message: message}
}
