// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts_test

import (
	"errors"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
)

// knownCodes are those of the pages on AssumeRole and AssumeRoleWithOIDC, those of the gateway that decide something,
// and some that resemble them.
var knownCodes = map[string]rpc.Kind{
	"AuthenticationFail.NoPermission":               rpc.KindPermission,
	"AuthenticationFail.OIDCToken.Expired":          rpc.KindCredentialsExpired,
	"AuthenticationFail.OIDCToken.Invalid":          rpc.KindCredentialsInvalid,
	"AuthenticationFail.OIDCToken.InvalidSignature": rpc.KindCredentialsInvalid,
	"AuthenticationFail.OIDCToken.AudienceNotMatch": rpc.KindCredentialsInvalid,
	"AuthenticationFail.OIDCToken.HttpsUrlInvalid":  rpc.KindCredentialsInvalid,
	"AuthenticationFail":                            rpc.KindOther,

	"EntityNotExist.Role":         rpc.KindNotFound,
	"EntityNotExist.OIDCProvider": rpc.KindNotFound,
	"EntityNotExists":             rpc.KindOther,

	"NoPermission":                         rpc.KindPermission,
	"Forbidden.RAM":                        rpc.KindPermission,
	"InvalidParameter.RoleArn":             rpc.KindInvalid,
	"InvalidParameter.DurationSeconds":     rpc.KindInvalid,
	"MissingParameter.RoleArn":             rpc.KindInvalid,
	"Throttling.User":                      rpc.KindThrottled,
	"InternalError":                        rpc.KindTransient,
	"ServiceUnavailable":                   rpc.KindTransient,
	"InvalidTimeStamp.Expired":             rpc.KindClock,
	"SignatureNonceUsed":                   rpc.KindNonceUsed,
	"InvalidAccessKeyId.NotFound":          rpc.KindCredentialsInvalid,
	"InvalidAccessKeyId.Inactive":          rpc.KindCredentialsExpired,
	"InvalidSecurityToken.Expired":         rpc.KindCredentialsExpired,
	"InvalidSecurityToken.Malformed":       rpc.KindCredentialsExpired,
	"SignatureDoesNotMatch":                rpc.KindCredentialsInvalid,
	"Forbidden.AccessKeyDisabled":          rpc.KindCredentialsInvalid,
	"Forbidden.RiskControl":                rpc.KindAccount,
	"NeverHeardOf":                         rpc.KindOther,
	"authenticationfail.OIDCToken.Expired": rpc.KindOther,
}

func TestEveryCodeHasOneKindWhateverTheStatusAndTheVerb(t *testing.T) {
	for code, kind := range knownCodes {
		for _, status := range []int{400, 401, 403, 404} {
			client := newClient(answers.Always(t, status, answers.Refusal("sts", code)))
			for _, verb := range verbs {
				_, err := verb.call(t.Context(), client)
				e, ok := errors.AsType[*rpc.Error](err)
				if !ok || e.Kind != kind || e.Code != code || e.HTTPStatus != status || e.Action != verb.action ||
					e.RequestID != "R-1" {
					t.Errorf("%s with %d for %s: got %#v, want %s", code, status, verb.action, e, kind)
				}
			}
		}
	}
}
