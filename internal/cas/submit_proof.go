// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import "strings"

// rejections are the codes that prove that nothing was done: the request was refused before it came to ordering or
// writing. Each code in the list is a permission to resubmit, so the list is closed: a code that proves the same and is
// missing costs a wait, a wrong one costs an order. The table of kinds does not decide this, because it answers another
// question (docs/design/cas.md §11.1).
var rejections = map[string]bool{
	// There is nothing to order from.
	"NotFoundPackage":   true,
	"NotRemainCount":    true,
	"InsufficientQuota": true,
	// Throttled requests are not executed.
	"FlowControlError":    true,
	"Rejected.Throttling": true,
	// The identity may not.
	"Forbidden":               true,
	"Forbidden.RAM":           true,
	"Forbidden.NotSupportRAM": true,
	"NoPermission":            true,
	"ActionUnauthorized":      true,
	"AccessDenied.NoAuth":     true,
	"PermissionDenied":        true,
	// The identity is not established.
	"SignatureDoesNotMatch":       true,
	"IncompleteSignature":         true,
	"Forbidden.AccessKeyDisabled": true,
}

// rejectionFamilies are such codes by how they begin: parameters, among them tokens and AccessKey ids.
var rejectionFamilies = []string{"Missing", "Invalid", "Throttling"}

// notRejections begin like a rejection and are none. A used nonce means that an earlier copy of the very same request
// has arrived; an invalid status may be the work of such a copy.
var notRejections = []string{"InvalidNonce", "InvalidStatus"}

// outcomeOf returns NotBought only on proof.
func outcomeOf(e *Error) Outcome {
	if IsRejected(e) {
		return NotBought
	}
	return Unknown
}

// IsRejected reports that the error proves that the call was not executed: the request never left, or a code proves it.
// A code proves something only with the request id that the service gives to every answer: a gateway on the way that
// answers "InvalidResponse" in JSON has passed the call on.
func IsRejected(e *Error) bool {
	return !e.Sent || (e.RequestID != "" && provesRejection(e.Code))
}

func provesRejection(code string) bool {
	return rejections[code] || (hasAnyPrefix(code, rejectionFamilies) && !hasAnyPrefix(code, notRejections))
}

func hasAnyPrefix(code string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}
