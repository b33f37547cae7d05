// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import "strings"

// rejections are the codes that prove that nothing was bought: the request was refused before it came to
// ordering. The list is one of permissions to resubmit, so it is closed: a code that says the same but is
// not here costs a wait, a wrong one here costs an order. The table of kinds does not decide this, because
// it answers another question (CAS contract §8, last paragraph).
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

// notRejections begin like a rejection and are none: a nonce that is used means that an earlier copy of the
// very same request has arrived.
var notRejections = []string{"InvalidNonce"}

// outcomeOf returns NotBought only on proof: the request never left, or a code that proves it. A code proves
// something only with the request id that the service gives to every answer: a gateway between us that answers
// "InvalidResponse" in JSON has passed the order on.
func outcomeOf(e *Error) Outcome {
	if !e.Sent || (e.RequestID != "" && provesRejection(e.Code)) {
		return NotBought
	}
	return Unknown
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
