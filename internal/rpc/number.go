// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"strconv"
	"time"
)

// Count reads a number that the service sends as a number, as a string, or as null or "" for none
// (docs/design/cas.md §2.2). It returns false for what is not a non-negative integer.
func Count(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}

// Milliseconds reads a time in milliseconds since 1970. It is zero if there is none.
func Milliseconds(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
