// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
)

func FuzzNoAnswerMakesUsBelieveInAnOrderOrInNone(f *testing.F) {
	for _, known := range knownCodes {
		f.Add(uint16(400), []byte(refusal(known.code)))
	}
	for _, body := range []string{
		``, `{}`, `null`, `<html>`, `{"RequestId":"R-1","OrderId":98987582437920968}`, `{"RequestId":"R-1","OrderId":"9007199254740993"}`,
		`{"RequestId":"R-1","OrderId":1e17}`, `{"RequestId":7,"Code":4003,"Message":{},"AccessDeniedDetail":{"AuthAction":1}}`,
		`{"RequestId":"R-1","CertificateOrderList":[{"OrderId":1}],"TotalCount":"1","UsedCount":1,"Type":"certificate"}`,
	} {
		f.Add(uint16(200), []byte(body))
	}
	var answer struct {
		status int
		body   []byte
	}
	client := newClient(f, serving(f, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body)
	}))
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		answer.status, answer.body = 200+int(status)%800, body
		for _, verb := range verbs {
			result, err := verb.call(context.Background(), client)
			if err != nil {
				_ = asError(t, err).Error()
			}
			if submission, ok := result.(cas.Submission); ok {
				checkSubmission(t, submission, answer.status)
			}
		}
	})
}

// checkSubmission knows what an answer must have in it for each of the outcomes.
func checkSubmission(t *testing.T, got cas.Submission, status int) {
	t.Helper()
	id, valid := cas.ParseOrderID(string(got.OrderID))
	switch got.Outcome {
	case cas.Accepted:
		if status >= 300 || !valid || id != got.OrderID || got.Err != nil {
			t.Errorf("accepted as %+v", got)
		}
	case cas.NotBought:
		e := asError(t, got.Err)
		if status < 400 || got.OrderID != "" || e.RequestID == "" || e.Code == "" || e.Kind == cas.KindTransient || e.Kind == cas.KindOther {
			t.Errorf("not bought, because of %#v", *e)
		}
	default:
		if got.OrderID != "" || got.Err == nil {
			t.Errorf("unknown, with %+v", got)
		}
	}
}
