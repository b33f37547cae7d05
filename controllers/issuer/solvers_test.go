// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"testing"
)

type probeFunc func(context.Context) error

func (f probeFunc) Probe(ctx context.Context) error { return f(ctx) }

// TestAProbeThatPanicsIsAnErrorOfItsOwn fails by the end of the tests' process if the panic is not caught.
func TestAProbeThatPanicsIsAnErrorOfItsOwn(t *testing.T) {
	broken := &probe{prober: probeFunc(func(context.Context) error { panic("a library gives up") })}
	good := &probe{prober: probeFunc(func(context.Context) error { return nil })}
	askAll(t.Context(), []*probe{broken, good})
	if broken.err == nil || good.err != nil {
		t.Errorf("the broken probe ended with %v, the good one with %v", broken.err, good.err)
	}
}
