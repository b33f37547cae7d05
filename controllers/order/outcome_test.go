// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package order

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
		"rest":                   {notYet(time.Minute), outcome{kind: outcomeNotYet, after: time.Minute}},
		"wait":                   {wait(time.Minute), outcome{kind: outcomeWait, after: time.Minute}},
		"stall": {hold(time.Minute, "Reason", "message"),
			outcome{kind: outcomeHold, after: time.Minute, reason: "Reason", message: "message"}},
		"fail":   {giveUp("Reason", "message"), outcome{kind: outcomeGiveUp, reason: "Reason", message: "message"}},
		"failed": {apiError(broken), outcome{kind: outcomeError, err: broken}},
	}
	seen := map[outcomeKind]string{}
	for name, test := range tests {
		if test.got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, test.got, test.want)
		}
		if other, ok := seen[test.got.kind]; ok && test.got.endsRun() {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[test.got.kind] = name
	}
}
