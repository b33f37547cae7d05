// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Golden compares text with a file that has what is expected, or writes the file if it is to be updated. what names the
// text for people.
func Golden(t *testing.T, path, what, got string, isUpdate bool) {
	t.Helper()
	if isUpdate {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s changed (-want +got); this test with -update takes that over:\n%s", what, diff)
	}
}
