// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

func FuzzNoAnswerMakesUsBelieveInAnOrderOrInNone(f *testing.F) {
	var codes []string
	for _, known := range knownCodes {
		codes = append(codes, known.code)
	}
	bodies := []string{
		``, `{}`, `null`, `<html>`, `{"RequestId":"R-1","OrderId":98987582437920968}`,
		`{"RequestId":"R-1","OrderId":"9007199254740993"}`,
		`{"RequestId":"R-1","OrderId":1e17}`,
		`{"RequestId":7,"Code":4003,"Message":{},"AccessDeniedDetail":{"AuthAction":1}}`,
		`{"RequestId":"R-1","CertificateOrderList":[{"OrderId":1}],"TotalCount":"1","UsedCount":1,"Type":"certificate"}`,
		`{"RequestId":"R-1","CertificateOrderList":[],"TotalCount":0}`,
		`{"RequestId":"R-1","CertificateOrderList":[],"TotalCount":"3"}`,
		`{"RequestId":"R-1","TotalCount":-1,"UsedCount":"","Type":null,"Cert":""}`,
		`{"RequestId":"R-1","Type":"domain_verify","RecordDomain":"_dnsauth"}`,
	}
	tried.Fuzz(f, codes, bodies, clients.Judges{Write: checkSubmission, IsMadeUp: isMadeUp})
}

// Says whether a result was made up from an answer that does not have it: an order without a state, a plan without
// numbers, or an empty listing where the answer does not say that nothing is there.
func isMadeUp(result any, has func(field string) bool) bool {
	isBad := false
	switch got := result.(type) {
	case *cas.Order:
		isBad = got.State == "" || !has("Type") || got.Record != nil &&
			(got.Record.Domain == "" || got.Record.Type == "" || got.Record.Value == "")
	case cas.Page:
		isBad = got.Total < 0 || len(got.Items) == 0 && (!has("TotalCount") || got.Total > 0)
		for _, item := range got.Items {
			id, valid := cas.ParseOrderID(string(item.OrderID))
			isBad = isBad || item.OrderID != "" && (!valid || id != item.OrderID)
		}
	case cas.Package:
		isBad = !has("TotalCount") || !has("UsedCount") || got.Total < 0 || got.Used < 0 || got.Issued < 0 ||
			got.Remaining() < 0
	case string:
		isBad = got == "" || !has("Cert")
	}
	return isBad
}

// Fails the test if the answer lacks what the outcome of the submission needs.
func checkSubmission(t *testing.T, result any, status int) (isWrite bool) {
	t.Helper()
	got, isWrite := result.(cas.Submission)
	if !isWrite {
		return false
	}
	id, valid := cas.ParseOrderID(string(got.OrderID))
	switch got.Outcome {
	case cas.Accepted:
		if status >= 300 || !valid || id != got.OrderID || got.Err != nil {
			t.Errorf("accepted as %+v", got)
		}
	case cas.NotBought:
		e := clients.AsError(t, got.Err)
		if status < 400 || got.OrderID != "" || e.RequestID == "" || e.Code == "" || e.Kind == cas.KindTransient ||
			e.Kind == cas.KindOther {
			t.Errorf("not bought, because of %#v", *e)
		}
	default:
		if got.OrderID != "" || got.Err == nil {
			t.Errorf("unknown, with %+v", got)
		}
	}
	return true
}
