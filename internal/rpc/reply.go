// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
)

// text is a JSON string, or the literal of any other JSON value: some services send codes as numbers, on
// which the SDK's own decoder panics (docs/design/cas.md §10.2).
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	switch {
	case string(data) == "null":
	case json.Unmarshal(data, &s) == nil:
		*t = text(s)
	default:
		*t = text(data)
	}
	return nil
}

// envelope is what replies have in common (docs/design/cas.md §2.2).
type envelope struct {
	RequestID          text `json:"RequestId"`
	Code               text `json:"Code"`
	Message            text `json:"Message"`
	AccessDeniedDetail json.RawMessage
}

// decode fills resp from a success, and makes an error of anything else.
func (r *reply) decode(req requests.AcsRequest, resp responses.AcsResponse, secrets scrubber) *Error {
	status := r.response.StatusCode
	var head envelope
	_ = json.Unmarshal(r.body, &head) // what is no JSON object leaves it empty
	requestID := secrets.identifier(string(head.RequestID))
	switch {
	case status >= 300 && status < 400:
		return &Error{
			Kind:       KindRedirect,
			HTTPStatus: status,
			Message:    "redirected, which is never followed",
			Sent:       true,
		}
	case status < 200 || status >= 300:
		return refusal(status, requestID, head, secrets)
	case head.RequestID == "":
		return undecodable(status, requestID, "success without a RequestId: not an answer of the service")
	}
	if err := r.unmarshal(req, resp); err != nil {
		// The decoder's error quotes the reply, which may hold a private key.
		return undecodable(status, requestID, "success, but its fields are not of the documented types")
	}
	return nil
}

// unmarshal uses the SDK's decoder, which accepts numbers as strings and strings as numbers.
func (r *reply) unmarshal(req requests.AcsRequest, resp responses.AcsResponse) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("the SDK panicked: %v", panicked)
		}
	}()
	r.response.Body = io.NopCloser(bytes.NewReader(r.body))
	return responses.Unmarshal(resp, r.response, req.GetAcceptFormat())
}

func undecodable(status int, requestID, message string) *Error {
	return &Error{
		Kind:       KindUndecodable,
		HTTPStatus: status,
		RequestID:  requestID,
		Message:    message,
		Sent:       true,
	}
}

// refusal makes an error of a reply with a status of 400 and above, or one below 200.
func refusal(status int, requestID string, head envelope, secrets scrubber) *Error {
	failure := &Error{
		HTTPStatus:   status,
		RequestID:    requestID,
		Code:         secrets.identifier(string(head.Code)),
		DeniedAction: deniedAction(head.AccessDeniedDetail, secrets),
		Sent:         true,
	}
	failure.Kind = classify(failure.Code, status)
	switch {
	case failure.Code == "":
		failure.Message = "the body has no error code: not an answer of the service"
	case failure.Code == "SignatureDoesNotMatch" || failure.Code == "IncompleteSignature":
		// The service's message quotes the string to sign, with all parameters in it.
		failure.Message = "the AccessKey secret does not fit the AccessKey id"
	default:
		failure.Message = secrets.scrub(string(head.Message))
	}
	return failure
}

// deniedAction reads AuthAction of AccessDeniedDetail, which tells what a policy has to allow.
func deniedAction(detail json.RawMessage, secrets scrubber) string {
	var fields struct{ AuthAction text }
	if json.Unmarshal(detail, &fields) != nil {
		return ""
	}
	return secrets.identifier(string(fields.AuthAction))
}

// maxIdentifier is more than any code, action or request id has.
const maxIdentifier = 128

// identifier returns name if it looks like a name that a machine gave, and "" if it might be anything else.
func (s scrubber) identifier(name string) string {
	if len(name) > maxIdentifier || strings.ContainsFunc(name, notOfIdentifier) || s.holdsSecret(name) {
		return ""
	}
	return name
}

func notOfIdentifier(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_:*/", r))
}
