// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

const module = "github.com/aliyun-issuer/aliyun-issuer"

// binary is the manager as it is released, main.go and all, but for the race detector and the clock that its
// reconcilers read: an order that is in doubt waits for twenty minutes. The bounds of what they wait for are the
// released ones.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "manager-")
	if err != nil {
		return "", err
	}
	overlay, err := withLeap(folder)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "aliyun-issuer")
	build := exec.Command("go", "build", "-race", "-overlay", overlay, "-o", path, module)
	build.Stderr = os.Stderr
	return path, build.Run()
})

// withLeap writes what the compiler reads in place of main.go. It is main.go with another clock.
func withLeap(folder string) (overlay string, err error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", err
	}
	released := filepath.Join(strings.TrimSpace(string(root)), "main.go")
	text, err := os.ReadFile(released)
	if err != nil {
		return "", err
	}
	source := string(text)
	for clock, leaping := range map[string]string{
		`"k8s.io/utils/clock"`: `"` + module + `/test/process/leap"`,
		"clock.RealClock{}":    "leap.FromEnvironment()",
	} {
		if strings.Count(source, clock) != 1 {
			return "", fmt.Errorf("main.go has not exactly one %s", clock)
		}
		source = strings.Replace(source, clock, leaping, 1)
	}
	replaced := filepath.Join(folder, "main.go")
	if err := os.WriteFile(replaced, []byte(source), 0o600); err != nil {
		return "", err
	}
	replacements, err := json.Marshal(map[string]map[string]string{"Replace": {released: replaced}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, replacements, 0o600)
}
