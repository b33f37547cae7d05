// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFlagsMayComeBeforeAndAfterOtherWords(t *testing.T) {
	defaults := flags{bin: "bin/k8s", dir: ".localkube", source: "hack/localkube", readyTimeout: 10 * time.Minute}
	for line, change := range map[string]func(*flags){
		"":                       func(*flags) {},
		"--bin b envtest helm":   func(f *flags) { f.bin, f.words = "b", []string{"envtest", "helm"} },
		"envtest --bin b helm":   func(f *flags) { f.bin, f.words = "b", []string{"envtest", "helm"} },
		"--cert-manager --audit": func(f *flags) { f.certManager, f.audit = true, true },
		"--data --dir d":         func(f *flags) { f.data, f.dir = true, "d" },
		"manager --dir d -- ./manager --dir other -- x": func(f *flags) {
			f.words, f.dir, f.command = []string{"manager"}, "d", []string{"./manager", "--dir", "other", "--", "x"}
		},
		"--ready u --ready-timeout 5s sim -- sim": func(f *flags) {
			f.ready, f.readyTimeout, f.words, f.command = "u", 5*time.Second, []string{"sim"}, []string{"sim"}
		},
	} {
		want := defaults
		change(&want)
		got, err := parse(strings.Fields(line))
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(flags{})); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for line, want := range map[string]string{
		"dwon":                `no command "dwon"`,
		"up --cert-manger":    "cert-manger",
		"build":               "what to build?",
		"build kubelet":       `cannot build "kubelet"`,
		"path":                "which module?",
		"path helm":           `"helm"`,
		"token --namespace n": "--serviceaccount",
		"run":                 "usage: localkube run",
		"run manager":         "usage: localkube run",
		"run a b -- c":        "usage: localkube run",
		"stop":                "usage: localkube stop",
		"stop etcd":           "no such file",
		"status":              "not everything runs",
	} {
		err := execute(t.Context(), strings.Fields(line))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", line, err, want)
		}
	}
	if err := execute(t.Context(), nil); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("no command: %v; want help", err)
	}
}
