// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package verdict is the one place that says what an error of Alibaba Cloud, of credentials or of a solver means to
// users: a condition reason, the cause and the next step.
package verdict

import (
	"errors"
	"fmt"
	"strings"

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

// verdicts are the verdicts on kinds of errors. A kind that is missing is told as CASUnavailable.
var verdicts = map[cas.Kind]verdict{
	cas.KindRedirect: {v1alpha1.ReasonEndpointInvalid, "set the endpoint to the address that answers by " +
		"itself, and look for a proxy in the way"},
	cas.KindClock: {v1alpha1.ReasonClockSkew, "set the clock of the controller's node; up to 15 " +
		"minutes are tolerated"},
	cas.KindCredentialsExpired: {v1alpha1.ReasonCredentialsRefused, "the session is renewed without further action"},
	cas.KindCredentialsInvalid: {v1alpha1.ReasonCredentialsRefused, "put valid ones in their place"},
	cas.KindAccount: {v1alpha1.ReasonAccountBlocked, "settle it with Alibaba Cloud: verification, risk " +
		"control or balance of the account"},
	cas.KindNoPackage: {v1alpha1.ReasonNoPackage, "buy a resource plan for the product code, or correct " +
		"spec.source.resourcePlan.productCode of the issuer"},
	cas.KindExhausted: {v1alpha1.ReasonQuotaExhausted, "buy more certificates for the product code, or delete " +
		"orders that nobody needs"},
	cas.KindInvalid: {v1alpha1.ReasonRejected, "correct what CAS names"},
	cas.KindRefused: {v1alpha1.ReasonRejected, "correct what CAS names"},
	cas.KindNotFound: {v1alpha1.ReasonOrderNotFound,
		"check that the credentials are of the account that made the order"},
}

// Explain gives an error its reason and its message, cause first and next step last.
func Explain(err error) (reason, message string) {
	if problem, ok := errors.AsType[*credentials.Problem](err); ok {
		return problem.Reason, problem.Message
	}
	if problem, ok := errors.AsType[*dcv.Problem](err); ok {
		return v1alpha1.ReasonPresentFailed, problem.Message
	}
	call, ok := errors.AsType[*cas.Error](err)
	if ok && call.Kind == cas.KindPermission {
		return v1alpha1.ReasonPermissionDenied,
			fmt.Sprintf("%s: allow %s to the RAM user or role in a RAM policy", Sentence(err), call.DeniedAction)
	}
	v, found := verdicts[cas.KindOf(err)]
	if !found {
		v = verdict{v1alpha1.ReasonCASUnavailable, passes}
	}
	return v.reason, fmt.Sprintf("%s: %s", Sentence(err), v.advice)
}

// Sentence is the error without the full stop that Alibaba Cloud ends its messages with.
func Sentence(err error) string { return strings.TrimSuffix(err.Error(), ".") }
