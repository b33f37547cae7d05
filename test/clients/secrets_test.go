// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"errors"
	"fmt"
	"testing"
)

func TestTheSearchForAKeyFindsIt(t *testing.T) {
	type hidden struct{ inner any }
	for _, value := range []any{
		Leak, &hidden{Leak}, hidden{[]byte(Leak)}, []hidden{{nil}, {Leak}}, map[string]any{"k": &hidden{Leak}},
		errors.New(Leak), fmt.Errorf("x: %w", errors.New(Leak)),
	} {
		if !Holds(value, Leak) {
			t.Errorf("not found in %#v", value)
		}
	}
}
