// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"fmt"
	"time"
)

const probeInterval = 100 * time.Millisecond

// WaitUntil tries probe until it succeeds. It gives up when the time of ctx is over or when one of the named
// processes is no longer running, and then shows the end of its log.
func (t Table) WaitUntil(ctx context.Context, names []string, probe func(context.Context) error) error {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for {
		// Looked at before the probe: something else that listens on the same port must not pass for it.
		for _, name := range names {
			if _, running := t.Running(name); !running {
				return fmt.Errorf("%s has ended:\n%s", name, t.Tail(name))
			}
		}
		failure := probe(ctx)
		if failure == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready (%w): %w\n%s", names[0], context.Cause(ctx), failure, t.Tail(names[0]))
		case <-ticker.C:
		}
	}
}
