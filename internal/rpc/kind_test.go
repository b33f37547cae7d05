// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
)

func TestACodeHasOneKind(t *testing.T) {
	tests := map[Kind][]string{
		KindThrottled: {"Throttling", "Throttling.User", "Throttling.Api", "Rejected.Throttling",
			"FlowControlError", "Some.Throttling.New"},
		KindTransient: {"ServiceUnavailable", "InternalError", "Error"},
		KindClock:     {"InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "IllegalTimestamp"},
		KindNonceUsed: {"SignatureNonceUsed", "InvalidNonce"},
		KindCredentialsExpired: {"InvalidSecurityToken.Expired", "InvalidSecurityToken.MismatchWithAccessKey",
			"InvalidAccessKeyId.Inactive"},
		KindCredentialsInvalid: {"InvalidAccessKeyId.NotFound", "InvalidAccessKeyId", "SignatureDoesNotMatch",
			"IncompleteSignature", "Forbidden.AccessKeyDisabled"},
		KindPermission: {"Forbidden.RAM", "NoPermission", "Forbidden", "Forbidden.NotSupportRAM", "ActionUnauthorized"},
		KindAccount:    {"Forbidden.RiskControl", "Forbidden.UserVerification", "InsufficientBalance"},
		KindInvalid: {
			"MissingParameter", "MissingCsr", "InvalidParameter", "InvalidApi.NotFound", "InvalidAction.NotFound",
			"InvalidProduct.NotFound", "InvalidProtocol.NeedSsl", "UnsupportedHTTPMethod", "NoSuchVersion",
		},
		KindNotFound: {"NotFound"},
		KindOther:    {"NeverHeardOf", "Forbidden.Else", ""},
	}
	for want, codes := range tests {
		for _, code := range codes {
			if got := classify(code, 400); got != want {
				t.Errorf("%q is %s, want %s", code, got, want)
			}
		}
	}
}

func TestTheStatusCountsOnlyWhereNoTableKnowsTheCode(t *testing.T) {
	tests := []struct {
		code   string
		status int
		want   Kind
	}{
		{"Throttling.User", 500, KindThrottled},
		{"InvalidParameter", 500, KindInvalid},
		{"NeverHeardOf", 500, KindTransient},
		{"", 503, KindTransient},
		{"", 429, KindThrottled},
		{"NeverHeardOf", 429, KindOther},
		{"", 403, KindOther},
	}
	for _, test := range tests {
		if got := classify(test.code, test.status); got != test.want {
			t.Errorf("%q with %d is %s, want %s", test.code, test.status, got, test.want)
		}
	}
}

func TestTheServiceHasTheFirstWordOnItsCodes(t *testing.T) {
	caller := newCaller(t, answering(t, 400, `{"RequestId":"R-1","Code":"InvalidBadge","Message":"m"}`),
		func(c *Config) {
			c.Classify = func(code string) (Kind, bool) { return KindPermission, code == "InvalidBadge" }
		})
	if e := failing(t, caller); e.Kind != KindPermission ||
		e.DeniedAction != "yundun-cert:CreateCertificateWithCsrRequest" {
		t.Errorf("got %#v", *e)
	}
	caller = newCaller(t, answering(t, 400, `{"RequestId":"R-1","Code":"InvalidBadge","Message":"m"}`),
		func(c *Config) {
			c.Classify = func(string) (Kind, bool) { return KindPermission, false }
		})
	if e := failing(t, caller); e.Kind != KindInvalid || e.DeniedAction != "" {
		t.Errorf("got %#v", *e)
	}
}

func TestADeniedActionIsNamedAsPoliciesNameIt(t *testing.T) {
	tests := map[string]requests.AcsRequest{
		"yundun-cert:DescribeCertificateState": sdkcas.CreateDescribeCertificateStateRequest(),
		"alidns:AddDomainRecord":               alidns.CreateAddDomainRecordRequest(),
	}
	for want, req := range tests {
		if got := ramAction(req); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWhatIsNoErrorOfACallHasNoKind(t *testing.T) {
	if kind, code := KindOf(nil), CodeOf(nil); kind != "" || code != "" {
		t.Errorf("nil has the kind %q and the code %q", kind, code)
	}
	if IsNotSent(nil) {
		t.Error("nil is not sent")
	}
}
