// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"testing"
	"time"
)

func TestEachOutcomeSaysOnlyWhatItIsFor(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct{ got, want outcome }{
		"the zero value goes on": {outcome{}, proceed()},
		"proceed":                {proceed(), outcome{kind: outcomeProceed}},
		"rest":                   {rest(time.Minute), outcome{kind: outcomeRest, after: time.Minute}},
		"wait":                   {wait(time.Minute), outcome{kind: outcomeWait, after: time.Minute}},
		"stall":                  {stall(time.Minute, "Reason", "message"), outcome{kind: outcomeStall, after: time.Minute, reason: "Reason", message: "message"}},
		"fail":                   {fail("Reason", "message"), outcome{kind: outcomeFail, reason: "Reason", message: "message"}},
		"failed":                 {failed(broken), outcome{kind: outcomeError, err: broken}},
	}
	seen := map[outcomeKind]string{}
	for name, test := range tests {
		if test.got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, test.got, test.want)
		}
		if other, ok := seen[test.got.kind]; ok && test.got.kind != outcomeProceed {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[test.got.kind] = name
	}
}
