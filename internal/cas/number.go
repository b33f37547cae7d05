// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"strconv"
	"time"
)

// count reads a number that the service sends as a number, as a string, or as null or "" for none
// (CAS contract §9). It returns false for what is not a non-negative integer.
func count(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}

// milliseconds reads a time in milliseconds since 1970. It is zero if there is none.
func milliseconds(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
