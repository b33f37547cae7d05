// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package machine tells how much the machine bears that runs the tests. It knows the standard library only, so that the
// runner of the tests, which asks it first, is compiled in a moment.
package machine

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// each is the memory of a control plane, a manager with the race detector, and the test that talks to both.
const each = 2 << 30

// ControlPlanes is how many control planes may be busy at a time: one for each core, as far as memory goes.
func ControlPlanes() int {
	return bound(runtime.GOMAXPROCS(0), available("/proc/meminfo"))
}

// bound takes an amount of memory of zero for unknown.
func bound(cores int, memory uint64) int {
	if memory == 0 {
		return cores
	}
	return max(1, min(cores, int(memory/each))) //nolint:gosec // no machine has that much
}

// available is the memory that programs can have without swapping, in bytes, or zero where the system does not tell.
func available(meminfo string) uint64 {
	file, err := os.Open(meminfo)
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }() // it was read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if number, found := strings.CutPrefix(lines.Text(), "MemAvailable:"); found {
			var kibibytes uint64
			if _, err := fmt.Sscan(number, &kibibytes); err == nil {
				return kibibytes << 10
			}
		}
	}
	return 0
}
