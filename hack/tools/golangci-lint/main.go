// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Command golangci-lint is the linter with the rules for APIs of Kubernetes built in: plugins can be had in no other
// way.
package main

import (
	"fmt"
	"os"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"
	_ "sigs.k8s.io/kube-api-linter" // registers kubeapilinter
)

func main() {
	if err := commands.Execute(
		commands.BuildInfo{Version: "custom", GoVersion: "unknown", Commit: "unknown"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitcodes.Failure)
	}
}
