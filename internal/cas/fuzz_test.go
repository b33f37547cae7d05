// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"encoding/json"
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
		`{"RequestId":"R-1","CertificateOrderList":[],"TotalCount":0}`, `{"RequestId":"R-1","CertificateOrderList":[],"TotalCount":"3"}`,
		`{"RequestId":"R-1","TotalCount":-1,"UsedCount":"","Type":null,"Cert":""}`, `{"RequestId":"R-1","Type":"domain_verify","RecordDomain":"_dnsauth"}`,
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
		answer.status, answer.body = 200+(int(status)+600)%800, body
		for _, verb := range verbs {
			result, err := verb.call(context.Background(), client)
			if err != nil {
				_ = asError(t, err).Error()
			}
			if submission, ok := result.(cas.Submission); ok {
				checkSubmission(t, submission, answer.status)
				continue
			}
			if err == nil {
				checkRead(t, result, answer.status, answer.body)
				continue
			}
			if e := asError(t, err); answer.status < 400 && (e.Code != "" || cas.IsNotFound(err) || cas.IsNoPackage(err)) {
				t.Errorf("%s of %d with %q proves something: %#v", verb.action, answer.status, answer.body, *e)
			}
		}
	})
}

// checkRead knows what a reading must not be made up from: an order without a state, a plan without numbers, or an empty
// listing where the answer does not say that nothing is there.
func checkRead(t *testing.T, result any, status int, body []byte) {
	t.Helper()
	var fields map[string]json.RawMessage
	if status < 200 || status >= 300 || json.Unmarshal(body, &fields) != nil || len(fields["RequestId"]) == 0 {
		t.Errorf("%d with %q is a success", status, body)
	}
	has := func(name string) bool {
		value := string(fields[name])
		return value != "" && value != "null" && value != `""`
	}
	isBad := false
	switch got := result.(type) {
	case *cas.Order:
		isBad = got.State == "" || !has("Type") || got.Record != nil && (got.Record.Domain == "" || got.Record.Type == "" || got.Record.Value == "")
	case cas.Page:
		isBad = got.Total < 0 || len(got.Items) == 0 && (!has("TotalCount") || got.Total > 0)
		for _, item := range got.Items {
			id, valid := cas.ParseOrderID(string(item.OrderID))
			isBad = isBad || item.OrderID != "" && (!valid || id != item.OrderID)
		}
	case cas.Package:
		isBad = !has("TotalCount") || !has("UsedCount") || got.Total < 0 || got.Used < 0 || got.Issued < 0 || got.Remaining() < 0
	case string:
		isBad = got == "" || !has("Cert")
	}
	if isBad {
		t.Errorf("%q is read as %+v", body, result)
	}
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
