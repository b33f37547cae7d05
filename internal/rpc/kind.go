// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"net/http"
	"strings"
)

// Kind says what an error means for whoever has to decide what happens next. Every error of a call has
// exactly one. Its text is stable and fit for a metric label.
type Kind string

const (
	// KindThrottled: the call was not executed because there were too many. It may be repeated, after
	// [Error.RetryAfter] if that is set.
	KindThrottled Kind = "Throttled"
	// KindTransient: the service failed or is not available. Whether it executed the call is unknown.
	KindTransient Kind = "Transient"
	// KindNetwork: no complete reply arrived. [Error.Sent] says whether the request had left.
	KindNetwork Kind = "Network"
	// KindUndecodable: there was a reply with a status of success, but it is not one of the service's.
	KindUndecodable Kind = "Undecodable"
	// KindRedirect: something answered with a 3xx, which is never followed. The endpoint is wrong, or a
	// proxy is in the way.
	KindRedirect Kind = "Redirect"
	// KindLate: the request would have been sent later than was allowed. Nothing was sent.
	KindLate Kind = "Late"
	// KindClock: the service does not accept our time. It tolerates 15 minutes of difference.
	KindClock Kind = "Clock"
	// KindNonceUsed: the service has seen this very request before.
	KindNonceUsed Kind = "NonceUsed"
	// KindCredentialsUnavailable: no credentials could be obtained. Nothing was sent.
	KindCredentialsUnavailable Kind = "CredentialsUnavailable"
	// KindCredentialsExpired: the credentials were refused, but fresh ones from the same place may work.
	KindCredentialsExpired Kind = "CredentialsExpired"
	// KindCredentialsInvalid: the credentials are wrong or disabled. A person has to act.
	KindCredentialsInvalid Kind = "CredentialsInvalid"
	// KindPermission: the identity may not do this. [Error.DeniedAction] names what it lacks.
	KindPermission Kind = "Permission"
	// KindAccount: the account is restricted, not verified, or out of money. A person has to act.
	KindAccount Kind = "Account"
	// KindInvalid: the request can never work as it is, or the configuration can not.
	KindInvalid Kind = "Invalid"
	// KindNotFound: the thing that the request names does not exist.
	KindNotFound Kind = "NotFound"
	// KindOther: a refusal with a code that no table knows.
	KindOther Kind = "Other"
)

// gatewayCodes are the codes that the API gateway gives for any service (docs/design/cas.md §2.3).
var gatewayCodes = map[string]Kind{
	"Rejected.Throttling": KindThrottled,
	"FlowControlError":    KindThrottled,

	"ServiceUnavailable": KindTransient,
	"InternalError":      KindTransient,
	"Error":              KindTransient,

	"IllegalTimestamp": KindClock,

	"SignatureNonceUsed": KindNonceUsed,
	"InvalidNonce":       KindNonceUsed,

	"InvalidAccessKeyId.Inactive": KindCredentialsExpired,

	"SignatureDoesNotMatch":       KindCredentialsInvalid,
	"IncompleteSignature":         KindCredentialsInvalid,
	"Forbidden.AccessKeyDisabled": KindCredentialsInvalid,

	"Forbidden":               KindPermission,
	"Forbidden.RAM":           KindPermission,
	"Forbidden.NotSupportRAM": KindPermission,
	"NoPermission":            KindPermission,
	"ActionUnauthorized":      KindPermission,

	"Forbidden.RiskControl":      KindAccount,
	"Forbidden.UserVerification": KindAccount,
	"InsufficientBalance":        KindAccount,

	"NotFound": KindNotFound,

	"UnsupportedHTTPMethod": KindInvalid,
	"NoSuchVersion":         KindInvalid,
}

// gatewayFamilies are codes known by how they begin. The first that fits counts, so the particular come
// before the general.
var gatewayFamilies = []struct {
	prefix string
	kind   Kind
}{
	{"Throttling", KindThrottled},
	{"InvalidTimeStamp", KindClock},
	{"InvalidNonce", KindNonceUsed},
	{"InvalidSecurityToken", KindCredentialsExpired},
	{"InvalidAccessKeyId", KindCredentialsInvalid},
	{"Invalid", KindInvalid},
	{"Missing", KindInvalid},
}

// classify judges by code. The status counts only where no table knows the code, because business errors
// come with almost any status (docs/design/cas.md §2.3).
func classify(code string, status int) Kind {
	if kind, ok := gatewayCodes[code]; ok {
		return kind
	}
	for _, family := range gatewayFamilies {
		if strings.HasPrefix(code, family.prefix) {
			return family.kind
		}
	}
	switch {
	case strings.Contains(code, "Throttling"), code == "" && status == http.StatusTooManyRequests:
		return KindThrottled
	case status >= http.StatusInternalServerError:
		return KindTransient
	default:
		return KindOther
	}
}
