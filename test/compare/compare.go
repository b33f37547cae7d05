// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package compare shows how what a test got differs from what it wants.
package compare

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Same compares two values as go-cmp does.
func Same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Text compares the whole message of an error; empty means none.
func Text(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	Same(t, got, want)
}
