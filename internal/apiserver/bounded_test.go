// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func TestNoCharacterIsCutInHalf(t *testing.T) {
	for limit, want := range map[int]string{0: "", 1: "a", 2: "a", 3: "a", 4: "a证", 6: "a证", 7: "a证书", 99: "a证书"} {
		compare.Same(t, Bounded("a证书", limit), want)
	}
}
