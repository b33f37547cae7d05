// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import "strings"

// ID names an instance, such as cas_dv-cn-0123456789a. It is opaque.
type ID string

// maxID is how many characters an AliyunOrder has room for, which is far more than any id that was seen.
const maxID = 64

// ParseID returns false for what cannot be the id of an instance.
func ParseID(s string) (ID, bool) {
	if s == "" || len(s) > maxID || strings.ContainsFunc(s, notOfID) {
		return "", false
	}
	return ID(s), true
}

func notOfID(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}

// notAnID is the error text for an id that no instance can have.
const notAnID = "this cannot be the id of an instance"
