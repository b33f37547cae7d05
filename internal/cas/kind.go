// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Kind says what an error means for whoever has to decide what happens next.
type Kind = rpc.Kind

// Error is what every failed call returns. All of its fields are safe to log and to show.
type Error = rpc.Error

// Kinds that any service of Alibaba Cloud has; see package rpc for what they mean.
const (
	KindThrottled              = rpc.KindThrottled
	KindTransient              = rpc.KindTransient
	KindNetwork                = rpc.KindNetwork
	KindUndecodable            = rpc.KindUndecodable
	KindRedirect               = rpc.KindRedirect
	KindLate                   = rpc.KindLate
	KindClock                  = rpc.KindClock
	KindNonceUsed              = rpc.KindNonceUsed
	KindCredentialsUnavailable = rpc.KindCredentialsUnavailable
	KindCredentialsExpired     = rpc.KindCredentialsExpired
	KindCredentialsInvalid     = rpc.KindCredentialsInvalid
	KindPermission             = rpc.KindPermission
	KindAccount                = rpc.KindAccount
	KindInvalid                = rpc.KindInvalid
	KindNotFound               = rpc.KindNotFound
	KindOther                  = rpc.KindOther
)

// Kinds that only CAS has.
const (
	// KindNoPackage: the account has no resource plan for the product. A person has to buy one.
	KindNoPackage Kind = "NoPackage"
	// KindExhausted: the resource plan has no certificate left. It may get some back.
	KindExhausted Kind = "Exhausted"
	// KindWrongState: the order or instance is not in a state that allows this. Describe it again before anything else.
	KindWrongState Kind = "WrongState"
	// KindRefused: the service did not want the order as it is. The message says why; for Submit it does
	// not prove that nothing was bought.
	KindRefused Kind = "Refused"
)

// codes are those of CAS itself (docs/design/cas.md §3.9, from
// https://help.aliyun.com/zh/ssl-certificate/developer-reference/api-cas-2020-04-07-errorcodes). What is not
// here is judged by the table of the gateway in package rpc.
var codes = map[string]Kind{
	"NotFoundPackage":   KindNoPackage,
	"NotRemainCount":    KindExhausted,
	"InsufficientQuota": KindExhausted,

	"NotFoundOrder":              KindNotFound,
	"NotFound":                   KindNotFound,
	"InvalidInstanceId.NotFound": KindNotFound,

	"OrderStateError": KindWrongState,
	"OrderExpired":    KindWrongState,
	"DeleteFail":      KindWrongState,

	"CreateCertificateRequestFailed": KindRefused,
	"CreateOrderFailed":              KindRefused,
	"DomainRepeat":                   KindRefused,
	"ParamRepeat":                    KindRefused,
	"DomainAndProductNotMatch":       KindRefused,

	"DeductQuotaFailed":               KindTransient,
	"OperationDenied.SystemUpgrading": KindTransient,

	"AccessDenied.NoAuth": KindPermission,
	"PermissionDenied":    KindPermission,
}

// kindOfCode returns false for codes that are not CAS's own.
func kindOfCode(code string) (Kind, bool) {
	if kind, ok := codes[code]; ok {
		return kind, true
	}
	if strings.HasPrefix(code, "OperationDenied") || strings.HasPrefix(code, "InvalidStatus.") {
		return KindWrongState, true
	}
	return "", false
}

// KindOf returns the kind of an error of this package, or "" if err is nil or not one.
func KindOf(err error) Kind { return rpc.KindOf(err) }

// IsNotFound reports that the order or instance does not exist, or not in this account.
func IsNotFound(err error) bool { return KindOf(err) == KindNotFound }

// IsNoPackage reports that the account has no resource plan for the product.
func IsNoPackage(err error) bool { return KindOf(err) == KindNoPackage }

// IsExhausted reports that the resource plan has no certificate left.
func IsExhausted(err error) bool { return KindOf(err) == KindExhausted }

// IsWrongState reports that the state of the order or instance does not allow the verb.
func IsWrongState(err error) bool { return KindOf(err) == KindWrongState }

// IsThrottled reports that the call was not executed because there were too many, by the service's count
// or by ours.
func IsThrottled(err error) bool { return rpc.IsThrottled(err) }

// IsTransient reports that the same call may well succeed later without anybody's help.
func IsTransient(err error) bool { return rpc.IsTransient(err) }

// IsPermission reports that the identity may not do this.
func IsPermission(err error) bool { return rpc.IsPermission(err) }

// IsCredentials reports that the credentials are missing, expired, wrong or disabled.
func IsCredentials(err error) bool { return rpc.IsCredentials(err) }

// IsNotSent reports that err proves that the service did not receive the call.
func IsNotSent(err error) bool { return rpc.IsNotSent(err) }
