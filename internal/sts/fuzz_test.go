// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts_test

import (
	"encoding/json"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

func FuzzASessionIsWholeOrAnErrorThatQuotesNothing(f *testing.F) {
	for code := range knownCodes {
		f.Add(uint16(400), []byte(answers.Refusal("sts", code)))
	}
	f.Add(uint16(401), []byte(answers.Refusal("sts", "AuthenticationFail.OIDCToken.Invalid")+testToken))
	f.Add(uint16(403), []byte(`{"RequestId":"R-1","Code":"NoPermission","Message":"`+clients.Keys.AccessKeySecret+` `+
		testToken+` `+testExternalID+`"}`))
	for _, body := range []string{
		``, `{}`, `null`, `<html>` + leak, sessionReply("", ""), `{"RequestId":"R-1","Credentials":null}`,
		`{"RequestId":7,"Credentials":["` + leak + `"]}`,
		sessionReply("Expiration", leak), sessionReply("Expiration", "0001-01-01T00:00:00Z"),
		sessionReply("Expiration", "2026-11-23T12:00:00+08:00"), sessionReply("SecurityToken", "-"),
		`{"RequestId":"R-1","Credentials":{"AccessKeyId":1,"AccessKeySecret":true,"SecurityToken":"` + leak +
			`","Expiration":null}}`,
	} {
		f.Add(uint16(200), []byte(body))
	}
	var answer answers.Next
	client := newClient(answers.By(f, answer.Serve))
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		answer = answers.Next{Status: 200 + int(status)%400, Body: body}
		for _, verb := range sessionVerbs {
			result, err := verb.call(t.Context(), client)
			session, _ := result.(sts.Session)
			if err != nil {
				wantHides(t, err, verb.secrets...)
				if answer.Status < 400 {
					wantHides(t, err, leak) // refusals quote the service, which has no session to tell of then
				}
				if session != (sts.Session{}) {
					t.Errorf("%s returns keys and an error", verb.action)
				}
				continue
			}
			wantHides(t, session, leak)
			wantWhole(t, session, answer.Status, body)
		}
	})
}

// Fails if the answer lacks any part of what the session says.
func wantWhole(t *testing.T, session sts.Session, status int, body []byte) {
	t.Helper()
	var told struct{ Credentials map[string]any }
	_ = json.Unmarshal(body, &told)
	for _, field := range []string{"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"} {
		if told.Credentials[field] == nil {
			t.Errorf("%d with %q, which has no %s, is a session", status, body, field)
		}
	}
	if keys := session.Keys; keys.AccessKeyID == "" || keys.AccessKeySecret == "" || keys.SecurityToken == "" ||
		keys == (rpc.Credentials{}) || status >= 300 {
		t.Errorf("%d with %q is a session", status, body)
	}
}
