// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package apiserver has what everybody who writes to the API server needs: it bounds texts, ends a run whose write was
// refused, and keeps errors that nobody can do anything about out of the log.
package apiserver

import "strings"

// Bounded cuts what CAS says to limit bytes, which the API server takes: a status that is refused would stop the order.
// It also drops a character that would be cut in half: the API server would store another text, and each run would
// write it anew.
func Bounded(s string, limit int) string { return strings.ToValidUTF8(s[:min(len(s), limit)], "") }
