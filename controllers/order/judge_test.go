// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

import (
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/verdict"
	"github.com/aliyun-issuer/aliyun-issuer/test/compare"
)

// Returns an error of CAS of this kind.
func errorOf(kind cas.Kind) *cas.Error {
	return &cas.Error{Action: "DescribeCertificateState", Kind: kind, Code: "Some.Code", Message: "Something is wrong."}
}

func TestAFailedCallHoldsAnOrderAndNeverFailsIt(t *testing.T) {
	for _, kind := range []cas.Kind{
		cas.KindTransient, cas.KindNetwork, cas.KindUndecodable, cas.KindRedirect, cas.KindLate, cas.KindClock,
		cas.KindNonceUsed, cas.KindCredentialsUnavailable, cas.KindCredentialsExpired, cas.KindCredentialsInvalid,
		cas.KindPermission, cas.KindAccount, cas.KindInvalid, cas.KindNotFound, cas.KindOther, cas.KindNoPackage,
		cas.KindExhausted, cas.KindWrongState, cas.KindRefused,
	} {
		t.Run(string(kind), func(t *testing.T) {
			end := judge(errorOf(kind), 2*time.Minute)
			reason, message := verdict.Explain(errorOf(kind))
			compare.Same(t, []any{end.kind, end.reason, end.message}, []any{outcomeHold, reason, message})
			if end.err != nil {
				t.Errorf("got %+v", end)
			}
			young, old := [2]time.Duration{30 * time.Second, 36 * time.Second},
				[2]time.Duration{10 * time.Minute, 12 * time.Minute}
			if cas.IsCredentials(errorOf(kind)) { // others may be there soon
				young = [2]time.Duration{25 * time.Second, 30 * time.Second}
				old = young
			}
			wantSpread(t, func() time.Duration { return judge(errorOf(kind), 0).after }, young[0], young[1])
			wantSpread(t, func() time.Duration { return judge(errorOf(kind), 24*time.Hour).after }, old[0], old[1])
		})
	}
}

func TestAThrottledCallIsNoFaultOfAnybody(t *testing.T) {
	end := judge(errorOf(cas.KindThrottled), 0)
	if end.kind != outcomeWait || end.reason != "" || end.message != "" || end.err != nil {
		t.Errorf("got %+v", end)
	}
	wantSpread(t, func() time.Duration { return judge(errorOf(cas.KindThrottled), 0).after }, 10*time.Second,
		12*time.Second)
	wantSpread(t, func() time.Duration { return judge(errorOf(cas.KindThrottled), 24*time.Hour).after },
		5*time.Minute, 6*time.Minute)
}
