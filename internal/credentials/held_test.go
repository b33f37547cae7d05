// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// TestMemoryIsEmptyOnceNobodyHoldsAnything lets a hundred orders share ten Secrets, and reads more Secrets than are
// held.
func TestMemoryIsEmptyOnceNobodyHoldsAnything(t *testing.T) {
	s := &Store{}
	ref := func(n int) v1alpha1.AccessKeySecretRef {
		return v1alpha1.AccessKeySecretRef{SecretReference: v1alpha1.SecretReference{Name: fmt.Sprintf("keys-%d", n)}}
	}
	value := func(n int) v1alpha1.SecretKeyReference {
		return v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: fmt.Sprint(n)}
	}
	var orders sync.WaitGroup
	for n := range 100 {
		orders.Go(func() {
			needs := Needs{Namespace: "team", AccessKeys: []v1alpha1.AccessKeySecretRef{ref(n % 10)},
				Values: []v1alpha1.SecretKeyReference{value(n % 10)}}
			s.Hold(types.UID(fmt.Sprint(n)), needs)
			for _, of := range []int{n % 10, 1000 + n} {
				s.keys.remember(reference[v1alpha1.AccessKeySecretRef]{"team", ref(of)},
					rpc.Credentials{AccessKeyID: "id"})
				s.values.remember(reference[v1alpha1.SecretKeyReference]{"team", value(of)}, "key")
			}
		})
	}
	orders.Wait()
	if keys, values := len(s.keys.parts), len(s.values.parts); keys != 10 || values != 10 {
		t.Errorf("%d keys and %d values are in memory, want 10 of each", keys, values)
	}
	for n := range 100 {
		s.Drop(types.UID(fmt.Sprint(n)))
	}
	if keys, values := len(s.keys.parts), len(s.values.parts); keys != 0 || values != 0 {
		t.Errorf("%d keys and %d values are left", keys, values)
	}
}
