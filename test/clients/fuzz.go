// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
)

// Judges know what a client must not make up from an answer.
type Judges struct {
	// Write judges the outcome of a call that changes something, and returns false for any other call.
	Write func(t *testing.T, result any, status int) (isWrite bool)
	// IsMadeUp says that a reading has no ground in its answer, which has a field unless it is missing, null or empty.
	IsMadeUp func(result any, has func(field string) bool) bool
}

// Fuzz answers each verb with any status and any body: the seeds are refusals with these codes, and successes with
// these bodies.
func (c Tried[Client]) Fuzz(f *testing.F, codes, bodies []string, judges Judges) {
	for _, code := range codes {
		f.Add(uint16(400), []byte(answers.Refusal("cas", code)))
	}
	for _, body := range bodies {
		f.Add(uint16(200), []byte(body))
	}
	var answer answers.Next
	client := New(f, c.From, answers.By(f, answer.Serve))
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		answer = answers.Next{Status: 200 + (int(status)+600)%800, Body: body}
		for _, verb := range c.Verbs {
			result, err := verb.Call(context.Background(), client)
			if err != nil {
				_ = AsError(t, err).Error()
			}
			if judges.Write(t, result, answer.Status) {
				continue
			}
			if err == nil {
				checkRead(t, result, answer, judges.IsMadeUp)
				continue
			}
			if e := AsError(t, err); answer.Status < 400 &&
				(e.Code != "" || cas.IsNotFound(err) || cas.IsNoPackage(err)) {
				t.Errorf("%s of %d with %q proves something: %#v", verb.Action, answer.Status, answer.Body, *e)
			}
		}
	})
}

// checkRead fails unless the answer is a success, and says what was read.
func checkRead(t *testing.T, result any, answer answers.Next, isMadeUp func(any, func(string) bool) bool) {
	t.Helper()
	var fields map[string]json.RawMessage
	if answer.Status < 200 || answer.Status >= 300 || json.Unmarshal(answer.Body, &fields) != nil ||
		len(fields["RequestId"]) == 0 {
		t.Errorf("%d with %q is a success", answer.Status, answer.Body)
	}
	has := func(field string) bool {
		value := string(fields[field])
		return value != "" && value != "null" && value != `""`
	}
	if isMadeUp(result, has) {
		t.Errorf("%q is read as %+v", answer.Body, result)
	}
}
