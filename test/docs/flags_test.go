// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// argument is a flag with which the chart calls the manager.
var argument = regexp.MustCompile(`(?m)^\s*- --([a-z-]+)`)

// TestTheChartCallsTheManagerWithFlagsThatThereAre reads both, for tests start the manager with arguments of their own:
// with a flag that is misspelt in the template, the manager of every installation would end at once.
func TestTheChartCallsTheManagerWithFlagsThatThereAre(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "charts/aliyun-issuer/templates/deployment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	flags, n := readCodeIn(t, "main.go").flags, 0
	for _, match := range argument.FindAllStringSubmatch(string(text), -1) {
		n++
		if !flags[match[1]] && !strings.HasPrefix(match[1], "zap-") { // these are of controller-runtime
			t.Errorf("the chart calls the manager with --%s, which main.go does not know", match[1])
		}
	}
	if n < 10 {
		t.Errorf("the chart calls the manager with %d flags: they are written in another way than they are looked for", n)
	}
}
