// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// commands are the blocks of shell commands that a page of the documentation has under a heading.
func (c *cluster) commands(t *testing.T, page, heading string, want int) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.root, page))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	isHere, isCommand := false, false
	for line := range strings.Lines(string(text)) {
		switch text := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "#") && !isCommand:
			isHere = strings.TrimLeft(text, "# ") == heading
		case text == "```sh" && isHere:
			isCommand, blocks = true, append(blocks, "")
		case text == "```":
			isCommand = false
		case isCommand:
			blocks[len(blocks)-1] += line
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
