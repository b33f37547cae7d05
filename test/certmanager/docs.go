// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"path/filepath"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
)

// commands are the blocks of shell commands that a page of the documentation has under a heading.
func (c *cluster) commands(t *testing.T, page, heading string, want int) []string {
	t.Helper()
	var blocks []string
	for _, block := range docs.Blocks(t, filepath.Join(c.root, page)) {
		if block.Heading == heading && block.Language == "sh" {
			blocks = append(blocks, block.Text)
		}
	}
	if len(blocks) != want {
		t.Fatalf("%s has %d blocks of commands under %q, want %d", page, len(blocks), heading, want)
	}
	return blocks
}

// follow runs commands as they are written, and returns what they print.
func (c *cluster) follow(t *testing.T, commands string) string {
	t.Helper()
	cmd := c.command("sh", "-euc", commands)
	cmd.Dir = c.root
	out, err := cmd.CombinedOutput()
	t.Logf("%s\n%s", commands, out)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
