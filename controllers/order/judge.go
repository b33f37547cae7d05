// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"errors"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
)

// Says how a run goes on after a call has failed that may be repeated. Never fails an order: what was ordered may still
// be issued.
func judge(err error, age time.Duration) outcome {
	if rpc.IsThrottled(err) {
		return throttled(pollDelay(age))
	}
	reason, message := verdict.Explain(err)
	return hold(holdFor(err, age), reason, message)
}

// Returns how long an error holds an order. If credentials are the cause, that is within 30 s however long the order
// has waited: others may be there soon, and to look for them costs no call.
func holdFor(err error, age time.Duration) time.Duration {
	if _, isProblem := errors.AsType[*credentials.Problem](err); isProblem || rpc.IsCredentials(err) {
		return credentialsRecheck()
	}
	return holdDelay(age)
}
