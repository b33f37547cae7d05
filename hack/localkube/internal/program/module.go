// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// modules are those whose files, not only whose packages, are of use: cert-manager's chart and CRDs.
var modules = map[string]string{
	"cert-manager": "github.com/cert-manager/cert-manager",
}

// ModuleDir fetches a module, in the version that the go.mod in source pins, and returns its folder in the
// module cache.
func ModuleDir(ctx context.Context, source, name string) (string, error) {
	path, known := modules[name]
	if !known {
		names := slices.Sorted(maps.Keys(modules))
		return "", fmt.Errorf("no folder is known as %q: it is none of %s", name, strings.Join(names, ", "))
	}
	if _, err := goOutput(ctx, source, "mod", "download", path); err != nil {
		return "", err
	}
	dir, err := goOutput(ctx, source, "list", "-m", "-f", "{{.Dir}}", path)
	return strings.TrimSpace(string(dir)), err
}
