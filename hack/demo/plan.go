// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// billPlan shows what was ordered from the plan.
func (d *demo) billPlan(ctx context.Context) error {
	var billed []cassim.LedgerEntry
	if err := d.used(ctx, &billed); err != nil {
		return err
	}
	fmt.Printf("    orders billed: %d\n", len(billed))
	if len(billed) != 1 {
		return fmt.Errorf("one certificate has cost %d orders", len(billed))
	}
	return nil
}
