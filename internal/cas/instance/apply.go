// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"time"
)

// Apply submits what is written on an instance, whoever wrote it. CAS answers before it has begun: the instance becomes
// StatusPending some seconds later. The reply names neither the application nor the certificate.
//
// An error for which cas.IsWrongState holds means that an application is under way already, perhaps this one, or that
// the instance cannot be applied with: its detail tells which.
func (c *Client) Apply(ctx context.Context, id ID, intendedAt time.Time) Change {
	return c.write(ctx, newRequest("ApplyCertificate"), id, intendedAt)
}

// Cancel withdraws the application that is under way on an instance, whoever made it. CAS answers at once, and the
// instance stays StatusPending for minutes.
//
// An error for which cas.IsWrongState holds means that it is too early, or that nothing is under way (any more): the
// detail of the instance tells which.
func (c *Client) Cancel(ctx context.Context, id ID, intendedAt time.Time) Change {
	return c.write(ctx, newRequest("CancelPendingCertificate"), id, intendedAt)
}
