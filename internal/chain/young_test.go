// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/test/certs"
)

// TestACertificateIsYoungForAThirdOfItsLife: cert-manager renews in the last third by default, and a renewal must be a
// new certificate.
func TestACertificateIsYoungForAThirdOfItsLife(t *testing.T) {
	noon := certs.Start
	from, to := noon, noon.Add(90*24*time.Hour)
	for age, want := range map[time.Duration]bool{
		0: true, 30 * 24 * time.Hour: true, 30*24*time.Hour + time.Second: false, 89 * 24 * time.Hour: false,
		91 * 24 * time.Hour: false,
	} {
		if got := IsYoung(from, to, noon.Add(age)); got != want {
			t.Errorf("after %s it is young: %t", age, got)
		}
	}
}
