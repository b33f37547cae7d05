// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEachCoreBearsAControlPlaneAsFarAsMemoryGoes(t *testing.T) {
	for name, machine := range map[string]struct {
		cores  int
		memory uint64
		want   int
	}{
		"a small one":                 {cores: 1, memory: 1 << 30, want: 1},
		"a runner with two cores":     {cores: 2, memory: 7 << 30, want: 2},
		"cores and little memory":     {cores: 16, memory: 8 << 30, want: 4},
		"a large one":                 {cores: 16, memory: 64 << 30, want: 16},
		"one that does not tell":      {cores: 8, want: 8},
		"one that has no memory left": {cores: 8, memory: 1, want: 1},
	} {
		if got := bound(machine.cores, machine.memory); got != machine.want {
			t.Errorf("%s bears %d, want %d", name, got, machine.want)
		}
	}
}

func TestMemoryIsWhatTheKernelSaysIsAvailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meminfo")
	text := "MemTotal:       24564240 kB\nMemFree:         1000000 kB\nMemAvailable:   12345678 kB\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := available(path), uint64(12345678<<10); got != want {
		t.Errorf("available memory is %d, want %d", got, want)
	}
	if got := available(filepath.Join(t.TempDir(), "none")); got != 0 {
		t.Errorf("available memory is %d where nobody tells, want 0", got)
	}
}
