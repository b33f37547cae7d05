// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

func TestOrdersAreRememberedAsFreshForAsLongAsTheyAre(t *testing.T) {
	f := &Fresh{}
	for n := range 100 {
		f.Add(types.UID(fmt.Sprint(n)), certs.Start.Add(time.Duration(n)*time.Second))
	}
	f.Add("last", certs.Start.Add(99*time.Second+Freshness))
	left := 0
	f.made.Range(func(any, any) bool { left++; return true })
	compare.Same(t, left, 1)
	compare.Same(t, f.Take("last", certs.Start.Add(99*time.Second+Freshness)), true)
	compare.Same(t, f.Take("last", certs.Start.Add(99*time.Second+Freshness)), false)
}
