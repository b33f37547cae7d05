// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package process

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// identify names the process that has this pid now by the second in which it began. A zombie counts as gone.
func identify(pid int) (string, error) {
	command := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid))
	command.Env = []string{"LC_ALL=C", "TZ=UTC"}
	out, err := command.Output()
	if _, ended := err.(*exec.ExitError); ended {
		return "", errGone
	}
	if err != nil {
		return "", fmt.Errorf("ps: %w", err)
	}
	state, started, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if state == "" || strings.HasPrefix(state, "Z") {
		return "", errGone
	}
	return strings.Join(strings.Fields(started), " "), nil
}
