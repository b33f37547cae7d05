// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"context"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

// knownCodes are codes that the verbs of instances answer, what they mean, and whether they prove that nothing was
// done.
var knownCodes = []struct {
	code          string
	kind          cas.Kind
	provesNotDone bool
}{
	{"NotFound", cas.KindNotFound, false},
	{"InvalidInstanceId.NotFound", cas.KindNotFound, true},

	{"InvalidStatus.UpdateProtection", cas.KindWrongState, false},
	{"InvalidStatus.DeleteProtection", cas.KindWrongState, false},
	{"OperationDenied.StatusNotSupport", cas.KindWrongState, false},
	{"OperationDenied", cas.KindWrongState, false},
	{"OrderExpired", cas.KindWrongState, false},

	{"InsufficientQuota", cas.KindExhausted, true},
	{"DeductQuotaFailed", cas.KindTransient, false},
	{"DomainRepeat", cas.KindRefused, false},
	{"ParamRepeat", cas.KindRefused, false},

	{"MissingParameter", cas.KindInvalid, true},
	{"MissingParameter.InstanceId", cas.KindInvalid, true},
	{"InvalidParameter", cas.KindInvalid, true},
	{"InvalidParameter.Csr", cas.KindInvalid, true},
	{"InvalidAction.NotFound", cas.KindInvalid, true},

	{"InternalError", cas.KindTransient, false},
	{"OperationDenied.SystemUpgrading", cas.KindTransient, false},
	{"ServiceUnavailable", cas.KindTransient, false},

	{"Throttling.User", cas.KindThrottled, true},
	{"FlowControlError", cas.KindThrottled, true},

	{"Forbidden.RAM", cas.KindPermission, true},
	{"PermissionDenied", cas.KindPermission, true},
	{"SignatureNonceUsed", cas.KindNonceUsed, false},
	{"InvalidNonce.Used", cas.KindNonceUsed, false},
	{"InvalidAccessKeyId.NotFound", cas.KindCredentialsInvalid, true},

	{"NameRepeat", cas.KindOther, false},
	{"ParseCertificateFailed", cas.KindOther, false},
	{"NeverHeardOf", cas.KindOther, false},
}

func TestEveryCodeHasOneKindWhateverTheStatusAndTheVerb(t *testing.T) {
	for _, known := range knownCodes {
		tried.WantKind(t, known.code, known.kind)
	}
}

func TestOnlyACodeOfTheListProvesThatNothingWasWritten(t *testing.T) {
	for _, known := range knownCodes {
		for _, status := range []int{400, 404, 429, 500} {
			change(context.Background(), t, newClient(t, answers.Always(t, status, answers.Refusal("cas", known.code))),
				func(action string, got instance.Change) {
					if proves := got.Outcome == instance.NotDone; proves != known.provesNotDone ||
						got.Outcome == instance.Done || got.Err == nil || got.RequestID != "R-1" {
						t.Errorf("%s with %d for %s: got %+v", known.code, status, action, got)
					}
				})
		}
	}
}

func TestANameThatDoesNotFitProvesThatItWasNotWritten(t *testing.T) {
	client := newClient(t, answers.Always(t, 400, answers.Refusal("cas", "DomainAndProductNotMatch")))
	change(context.Background(), t, client, func(action string, got instance.Change) {
		want := instance.Unknown
		if action == "UpdateInstance" {
			want = instance.NotDone
		}
		if got.Outcome != want || cas.KindOf(got.Err) != cas.KindRefused {
			t.Errorf("%s: got %+v", action, got)
		}
	})
	without := `{"Code":"DomainAndProductNotMatch","Message":"no"}`
	if got := newClient(t, answers.Always(t, 400, without)).Update(context.Background(), testInstance, newUpdate(),
		clients.Noon); got.Outcome != instance.Unknown {
		t.Errorf("without the service's id: %+v", got)
	}
}
