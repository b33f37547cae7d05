// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import "strings"

// OrderID names an order at CAS: decimal digits without a leading zero. It is text because ids exceed 2^53
// and would lose digits as a float (docs/design/cas.md §3.1).
type OrderID string

// maxOrderID is the number of digits of the largest 64-bit integer, which the API declares.
const maxOrderID = 19

// ParseOrderID returns false for what is not a positive integer in plain decimal notation: zero, signs,
// fractions, exponents, and the empty string, which is what a null decodes to.
func ParseOrderID(s string) (OrderID, bool) {
	if s == "" || len(s) > maxOrderID || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return "", false
	}
	return OrderID(s), true
}
