// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"encoding/json"
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
	out, err := goOutput(ctx, source, "mod", "download", "-json", path)
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	return module.Dir, nil
}
