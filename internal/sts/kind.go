// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// kindOfCode knows the codes that STS has beside those of all services
// (https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-errorcodes).
func kindOfCode(code string) (rpc.Kind, bool) {
	switch {
	case code == "AuthenticationFail.OIDCToken.Expired":
		return rpc.KindCredentialsExpired, true
	case code == "AuthenticationFail.NoPermission":
		return rpc.KindPermission, true
	case strings.HasPrefix(code, "AuthenticationFail."):
		return rpc.KindCredentialsInvalid, true
	case strings.HasPrefix(code, "EntityNotExist."):
		return rpc.KindNotFound, true
	default:
		return "", false
	}
}
