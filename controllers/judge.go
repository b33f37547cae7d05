// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// verdict is what an error of Alibaba Cloud means to users: a condition reason, and the next step.
type verdict struct {
	reason string
	advice string
}

const passes = "it is tried again without further action"

// verdicts is the one place that says so. Kinds that are missing are as CASUnavailable.
var verdicts = map[cas.Kind]verdict{
	cas.KindRedirect:           {v1alpha1.ReasonEndpointInvalid, "set the endpoint to the address that answers by itself, and look for a proxy in the way"},
	cas.KindClock:              {v1alpha1.ReasonClockSkew, "set the clock of the controller's node; up to 15 minutes are tolerated"},
	cas.KindCredentialsExpired: {v1alpha1.ReasonCredentialsRefused, "the session is renewed without further action"},
	cas.KindCredentialsInvalid: {v1alpha1.ReasonCredentialsRefused, "put valid ones in their place"},
	cas.KindAccount:            {v1alpha1.ReasonAccountBlocked, "settle it with Alibaba Cloud: verification, risk control or balance of the account"},
	cas.KindNoPackage:          {v1alpha1.ReasonNoPackage, "buy a resource plan for the product code, or correct spec.source.resourcePlan.productCode of the issuer"},
	cas.KindExhausted:          {v1alpha1.ReasonQuotaExhausted, "buy more certificates for the product code, or delete orders that nobody needs; " + passes},
	cas.KindInvalid:            {v1alpha1.ReasonRejected, "correct what CAS names"},
	cas.KindRefused:            {v1alpha1.ReasonRejected, "correct what CAS names"},
	cas.KindNotFound:           {v1alpha1.ReasonOrderNotFound, "check that the credentials are of the account that made the order"},
}

// explain gives an error its reason and its message, cause first and next step last.
func explain(err error) (reason, message string) {
	if problem, ok := errors.AsType[*credentials.Problem](err); ok {
		return problem.Reason, problem.Message
	}
	if problem, ok := errors.AsType[*dcv.Problem](err); ok {
		return v1alpha1.ReasonPresentFailed, problem.Message
	}
	call, ok := errors.AsType[*cas.Error](err)
	if ok && call.Kind == cas.KindPermission {
		return v1alpha1.ReasonPermissionDenied,
			fmt.Sprintf("%s: allow %s to the RAM user or role in a RAM policy", sentence(err), call.DeniedAction)
	}
	v, found := verdicts[cas.KindOf(err)]
	if !found {
		v = verdict{v1alpha1.ReasonCASUnavailable, passes}
	}
	return v.reason, fmt.Sprintf("%s: %s", sentence(err), v.advice)
}

// sentence is the error without the full stop that Alibaba Cloud ends its messages with.
func sentence(err error) string { return strings.TrimSuffix(err.Error(), ".") }

// judge says how a run goes on after a call failed that may be repeated. It never fails an order: what was ordered
// may still be issued.
func judge(err error, age time.Duration) outcome {
	if cas.IsThrottled(err) {
		return wait(pollDelay(age))
	}
	reason, message := explain(err)
	return stall(holdFor(err, age), reason, message)
}

// holdFor is how long an order is held by an error. Other credentials may be there soon: to look for them costs no call,
// and an order that has waited for hours must not wait any longer for them than a young one.
func holdFor(err error, age time.Duration) time.Duration {
	if _, isProblem := errors.AsType[*credentials.Problem](err); isProblem || cas.IsCredentials(err) {
		return credentialsRecheck()
	}
	return holdDelay(age)
}
