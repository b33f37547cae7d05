// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNobodyCanGiveAnInstanceBackOrRevoke reads all of the code: only the simulator may have the verbs that end what
// somebody has paid for, or what a server still uses.
func TestNobodyCanGiveAnInstanceBackOrRevoke(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	read := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() &&
			(entry.Name() == ".git" || entry.Name() == "bin" || path == filepath.Join(root, "internal", "cassim")):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for _, action := range slices.Concat(joined("Refund", "Instance"), joined("Delete", "Instance"),
			joined("Revoke", "Certificate")) {
			if strings.Contains(string(text), action) {
				t.Errorf("%s has %s", path, action)
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Errorf("%d files were read: %v", read, err)
	}
}

// Returns the spellings of an action, put together here because this file must not have them itself.
func joined(verb, noun string) []string {
	return []string{`"` + verb + noun + `"`, "Create" + verb + noun + "Request"}
}
