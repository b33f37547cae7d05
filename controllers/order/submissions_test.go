// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

// TestNumbersThatHangTogetherAgree compares what different rooms decide: a doubt lasts for as long as its call may be
// sent and answered, and the bounds of a deleted Order are shorter than that of a release.
func TestNumbersThatHangTogetherAgree(t *testing.T) {
	if longest := cas.SubmitWindow + cas.SubmitTimeout; inDoubt < longest {
		t.Errorf("an answer is not waited for after %s, and it may come after %s", inDoubt, longest)
	}
	if heirPatience >= releaseBound || namespaceBound >= releaseBound {
		t.Error("a release ends before it begins")
	}
}
