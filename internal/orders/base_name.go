// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"strings"

	"golang.org/x/net/idna"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// BaseName returns a name without "*." and "www.", which brands add to a name or take for the same, as A-labels. It
// leaves www.com as it is: that is a domain like any other, and the listing of com would have no end.
func BaseName(name string) string {
	name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".")
	if ascii, err := idna.ToASCII(name); err == nil {
		name = ascii
	}
	name = strings.TrimPrefix(name, "*.")
	if base, ok := strings.CutPrefix(name, "www."); ok && !dcv.RegistryOwned(base) {
		return base
	}
	return name
}
