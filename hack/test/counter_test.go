// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestTheCounterTellsModulesPackagesAndMessagesApart(t *testing.T) {
	var out strings.Builder
	c := newCounter(&out, 3)
	// In pieces, as they come.
	for _, piece := range []string{"go: downloading example.com/x v1.0.0\nexample.com/x", "\nexample.com/m/a " +
		"[example.com/m/a.test]\nexample.com/m/a.test\n# example.com/m/b\n", "b.go:1: no\nexample.com/m/c\n"} {
		if _, err := c.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	c.end()
	if want := "3 of up to 3 packages compiled, 1 modules fetched\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("it says %q, want at the end %q", out.String(), want)
	}
	if !strings.Contains(c.messages(), "# example.com/m/b\nb.go:1: no\n") {
		t.Errorf("the messages are %q", c.messages())
	}
}
