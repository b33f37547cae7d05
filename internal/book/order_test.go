// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package book

import (
	"fmt"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

func TestWhatIsExcludedIsRememberedOnceAndWithinBounds(t *testing.T) {
	status := &v1alpha1.OrderStatus{}
	for i := range 2 * maxExcluded {
		Exclude(status, fmt.Sprint(i/2))
	}
	Exclude(status, "new")
	if n := len(status.ExcludedOrderIDs); n != maxExcluded || status.ExcludedOrderIDs[n-1] != "new" {
		t.Errorf("%d ids are remembered: %v", n, status.ExcludedOrderIDs)
	}
}
