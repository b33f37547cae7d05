// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
)

// identify names the process that has this pid now, in a way that no later process with this pid shares: the boot,
// and the clock tick of that boot in which the process began (field 22 of proc_pid_stat(5)). A zombie counts as
// gone: it holds nothing any more, and in a container nobody may ever collect it.
func identify(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", errGone
	}
	// The second field, the program's name, may hold spaces and brackets; the third follows its last bracket.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return "", errors.New("cannot read the start time of process " + fmt.Sprint(pid))
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return "", errGone
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[19], nil
}
