// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Error is what every failed call returns. All of its fields are safe to log and to show in a status.
type Error struct {
	// Action is the API's name, for example DescribeCertificateState.
	Action string
	// Kind says what the error means.
	Kind Kind
	// Code is the service's own code, or empty if the error did not come from the service.
	Code string
	// HTTPStatus is the status of the reply, or 0 if there was none.
	HTTPStatus int
	// RequestID is the service's name for the call. It is not part of the message, so that the message of
	// one cause stays the same from call to call.
	RequestID string
	// Message is at most 256 characters of explanation, without secrets.
	Message string
	// DeniedAction is what a RAM policy has to allow, for example yundun-cert:DescribeCertificateState. It is
	// set for every error of KindPermission: to what the service said, or else to what the call needs.
	DeniedAction string
	// Sent tells whether the header of the request was written to a connection. False is a proof that the
	// service did not execute the call.
	Sent bool
	// RetryAfter is how long to wait at least, or 0 if that is not known.
	RetryAfter time.Duration

	// cause is a context's error or a hiddenCause. Other errors are not kept, since they may quote secrets.
	cause error
}

// Error is stable: it depends on the cause alone, not on the call.
func (e *Error) Error() string {
	switch {
	case e.Code != "":
		return fmt.Sprintf("%s: %s (HTTP %d): %s", e.Action, e.Code, e.HTTPStatus, e.Message)
	case e.HTTPStatus != 0:
		return fmt.Sprintf("%s: HTTP %d: %s", e.Action, e.HTTPStatus, e.Message)
	default:
		return fmt.Sprintf("%s: %s", e.Action, e.Message)
	}
}

// Unwrap returns the context's error, if that ended the call, or one in which errors.Is and errors.As find the error of
// the CredentialsProvider.
func (e *Error) Unwrap() error { return e.cause }

// hiddenCause is an error of a CredentialsProvider, which may quote anything: errors.Is and errors.As find it, printing
// does not.
type hiddenCause struct {
	err     error
	message string
}

func (c *hiddenCause) Error() string        { return c.message }
func (c *hiddenCause) GoString() string     { return strconv.Quote(c.message) }
func (c *hiddenCause) Is(target error) bool { return errors.Is(c.err, target) }
func (c *hiddenCause) As(target any) bool   { return errors.As(c.err, target) }

// KindOf returns the kind of a call's error, or "" if err is not one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// CodeOf returns the service's code for a call's error, or "" if it has none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// IsNotSent reports that err proves that the service did not receive the call.
func IsNotSent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && !e.Sent
}

// IsThrottled reports that the call was not executed because there were too many.
func IsThrottled(err error) bool { return KindOf(err) == KindThrottled }

// IsTransient reports that the same call may well succeed later without anybody's help.
func IsTransient(err error) bool {
	switch KindOf(err) {
	case KindTransient, KindNetwork, KindUndecodable:
		return true
	default:
		return false
	}
}

// IsCredentials reports that the credentials are missing, expired, wrong or disabled.
func IsCredentials(err error) bool {
	switch KindOf(err) {
	case KindCredentialsUnavailable, KindCredentialsExpired, KindCredentialsInvalid:
		return true
	default:
		return false
	}
}

// IsPermission reports that the identity may not do this.
func IsPermission(err error) bool { return KindOf(err) == KindPermission }
