// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

// knownCodes are codes of docs/design/cas.md §2.3 and §3.9, some that resemble them, and what they mean.
// provesRejection is what Submit may conclude: that nothing was bought.
var knownCodes = []struct {
	code            string
	kind            cas.Kind
	provesRejection bool
}{
	{"NotFoundPackage", cas.KindNoPackage, true},
	{"NotRemainCount", cas.KindExhausted, true},
	{"InsufficientQuota", cas.KindExhausted, true},

	{"NotFoundOrder", cas.KindNotFound, false},
	{"NotFound", cas.KindNotFound, false},
	{"InvalidInstanceId.NotFound", cas.KindNotFound, true},
	{"OrderStateError", cas.KindWrongState, false},
	{"OrderExpired", cas.KindWrongState, false},
	{"DeleteFail", cas.KindWrongState, false},
	{"OperationDenied", cas.KindWrongState, false},
	{"OperationDenied.StatusNotSupport", cas.KindWrongState, false},
	{"InvalidStatus.UpdateProtection", cas.KindWrongState, false},

	{"CreateCertificateRequestFailed", cas.KindRefused, false},
	{"CreateOrderFailed", cas.KindRefused, false},
	{"DomainRepeat", cas.KindRefused, false},
	{"ParamRepeat", cas.KindRefused, false},
	{"DomainAndProductNotMatch", cas.KindRefused, false},

	{"Error", cas.KindTransient, false},
	{"InternalError", cas.KindTransient, false},
	{"ServiceUnavailable", cas.KindTransient, false},
	{"DeductQuotaFailed", cas.KindTransient, false},
	{"OperationDenied.SystemUpgrading", cas.KindTransient, false},

	{"Throttling", cas.KindThrottled, true},
	{"Throttling.User", cas.KindThrottled, true},
	{"Throttling.Api", cas.KindThrottled, true},
	{"Rejected.Throttling", cas.KindThrottled, true},
	{"FlowControlError", cas.KindThrottled, true},
	{"Some.Throttling", cas.KindThrottled, false},

	{"InvalidTimeStamp.Expired", cas.KindClock, true},
	{"InvalidTimeStamp.Format", cas.KindClock, true},
	{"IllegalTimestamp", cas.KindClock, false},
	{"SignatureNonceUsed", cas.KindNonceUsed, false},
	{"InvalidNonce", cas.KindNonceUsed, false},
	{"InvalidNonce.Used", cas.KindNonceUsed, false},

	{"InvalidSecurityToken.Expired", cas.KindCredentialsExpired, true},
	{"InvalidSecurityToken.MismatchWithAccessKey", cas.KindCredentialsExpired, true},
	{"InvalidAccessKeyId.Inactive", cas.KindCredentialsExpired, true},
	{"InvalidAccessKeyId.NotFound", cas.KindCredentialsInvalid, true},
	{"SignatureDoesNotMatch", cas.KindCredentialsInvalid, true},
	{"IncompleteSignature", cas.KindCredentialsInvalid, true},
	{"Forbidden.AccessKeyDisabled", cas.KindCredentialsInvalid, true},

	{"Forbidden", cas.KindPermission, true},
	{"Forbidden.RAM", cas.KindPermission, true},
	{"Forbidden.NotSupportRAM", cas.KindPermission, true},
	{"NoPermission", cas.KindPermission, true},
	{"ActionUnauthorized", cas.KindPermission, true},
	{"AccessDenied.NoAuth", cas.KindPermission, true},
	{"PermissionDenied", cas.KindPermission, true},

	{"Forbidden.RiskControl", cas.KindAccount, false},
	{"Forbidden.UserVerification", cas.KindAccount, false},
	{"InsufficientBalance", cas.KindAccount, false},

	{"MissingParameter", cas.KindInvalid, true},
	{"MissingCsr", cas.KindInvalid, true},
	{"InvalidParameter", cas.KindInvalid, true},
	{"InvalidParameter.Csr", cas.KindInvalid, true},
	{"InvalidApi.NotFound", cas.KindInvalid, true},
	{"InvalidAction.NotFound", cas.KindInvalid, true},
	{"InvalidProduct.NotFound", cas.KindInvalid, true},
	{"InvalidProtocol.NeedSsl", cas.KindInvalid, true},
	{"UnsupportedHTTPMethod", cas.KindInvalid, false},
	{"NoSuchVersion", cas.KindInvalid, false},

	{"NeverHeardOf", cas.KindOther, false},
	{"invalidparameter", cas.KindOther, false},
	{"NotMissing", cas.KindOther, false},
	{"Forbidden.Else", cas.KindOther, false},
	{"4003", cas.KindOther, false},
}

func TestEveryCodeHasOneKindWhateverTheStatusAndTheVerb(t *testing.T) {
	for _, known := range knownCodes {
		tried.WantKind(t, known.code, known.kind)
	}
}

func TestACodeMayBeANumber(t *testing.T) {
	client := newClient(t, answers.Always(t, 400, `{"RequestId":1,"Code":4003,"Message":2}`))
	_, err := client.Describe(context.Background(), testOrder)
	if e := clients.AsError(t, err); e.Code != "4003" || e.Kind != cas.KindOther || e.Message != "2" {
		t.Errorf("got %#v", *e)
	}
}

func TestAPredicateHoldsForItsKindsOnly(t *testing.T) {
	predicates := map[string]struct {
		holds func(error) bool
		kinds []cas.Kind
	}{
		"IsNotFound":   {cas.IsNotFound, []cas.Kind{cas.KindNotFound}},
		"IsNoPackage":  {cas.IsNoPackage, []cas.Kind{cas.KindNoPackage}},
		"IsExhausted":  {cas.IsExhausted, []cas.Kind{cas.KindExhausted}},
		"IsWrongState": {cas.IsWrongState, []cas.Kind{cas.KindWrongState}},
		"IsThrottled":  {cas.IsThrottled, []cas.Kind{cas.KindThrottled}},
		"IsPermission": {cas.IsPermission, []cas.Kind{cas.KindPermission}},
		"IsTransient":  {cas.IsTransient, []cas.Kind{cas.KindTransient, cas.KindNetwork, cas.KindUndecodable}},
		"IsCredentials": {cas.IsCredentials, []cas.Kind{cas.KindCredentialsUnavailable, cas.KindCredentialsExpired,
			cas.KindCredentialsInvalid}},
	}
	kinds := []cas.Kind{
		cas.KindThrottled, cas.KindTransient, cas.KindNetwork, cas.KindUndecodable, cas.KindRedirect, cas.KindLate,
		cas.KindClock,
		cas.KindNonceUsed, cas.KindCredentialsUnavailable, cas.KindCredentialsExpired, cas.KindCredentialsInvalid,
		cas.KindPermission,
		cas.KindAccount, cas.KindInvalid, cas.KindNotFound, cas.KindOther, cas.KindNoPackage, cas.KindExhausted,
		cas.KindWrongState, cas.KindRefused,
	}
	for name, predicate := range predicates {
		for _, kind := range kinds {
			want := slices.Contains(predicate.kinds, kind)
			if got := predicate.holds(fmt.Errorf("wrapped: %w", &cas.Error{Kind: kind})); got != want {
				t.Errorf("%s for %s is %t", name, kind, got)
			}
		}
		if predicate.holds(nil) || predicate.holds(http.ErrServerClosed) {
			t.Errorf("%s holds for what is no error of a call", name)
		}
	}
}
