// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cas/instance"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

func FuzzNoAnswerMakesUsBelieveWhatItDoesNotSay(f *testing.F) {
	var codes []string
	for _, known := range knownCodes {
		codes = append(codes, known.code)
	}
	id := string(testInstance)
	bodies := []string{
		``, `{}`, `null`, `<html>`, `{"RequestId":"R-1"}`, `{"RequestId":7,"Code":4003,"Message":{}}`,
		`{"RequestId":"R-1","InstanceId":"` + id +
			`","Status":"normal","CertificateStatus":"issued","CertificateId":21730000,"CertificateNotAfter":1772452800}`,
		`{"RequestId":"R-1","InstanceId":"` + id +
			`","Status":"pending","DomainValidationList":[{"Domain":"a","ValidationValue":""}],"ContactIdList":[1,"2"],"Tags":null}`,
		`{"RequestId":"R-1","TotalCount":"2","InstanceList":[{"InstanceId":"` + id +
			`","Status":"inactive","CertificateId":"8589934592"}]}`,
		`{"RequestId":"R-1","TotalCount":0,"InstanceList":[],"TaskStatus":"success","TaskMessage":"m","Cert":"c","Key":"k"}`,
		`{"RequestId":"R-1","TotalCount":1,"InstanceList":null,"TaskStatus":null}`,
	}
	tried.Fuzz(f, codes, bodies, clients.Judges{Write: checkChange, IsMadeUp: isMadeUp})
}

// Says whether a result tells what its answer does not have. has says whether the answer has a field.
func isMadeUp(result any, has func(field string) bool) bool {
	isBad := false
	switch got := result.(type) {
	case *instance.Detail:
		isBad = got.ID != testInstance || !isSound(got.Instance) || !has("Status") || got.HasCertificate() &&
			(!has("CertificateId") || !has("CertificateStatus"))
		for _, v := range got.Validations {
			isBad = isBad || v.IsComplete() && (v.Value == "" || v.Key == "")
		}
	case instance.Page:
		isBad = got.Total < 0 || len(got.Items) == 0 && (!has("TotalCount") || got.Total > 0)
		for _, item := range got.Items {
			isBad = isBad || !isSound(item)
		}
	case instance.Task:
		isBad = got.Status != "" && !has("TaskStatus")
	case string:
		isBad = got == "" || !has("Cert")
	}
	return isBad
}

func isSound(i instance.Instance) bool {
	_, isID := instance.ParseID(string(i.ID))
	certificate, isCertificate := cas.ParseOrderID(i.CertificateID)
	return isID && i.Status != "" &&
		(i.CertificateID == "" || isCertificate && string(certificate) == i.CertificateID) && i.SingleNames >= 0 &&
		i.WildcardNames >= 0
}

// Checks that the answer to a write has what its outcome needs.
func checkChange(t *testing.T, result any, status int) (isWrite bool) {
	t.Helper()
	got, isWrite := result.(instance.Change)
	if !isWrite {
		return false
	}
	switch got.Outcome {
	case instance.Done:
		if status >= 300 || got.RequestID == "" || got.Err != nil {
			t.Errorf("done as %+v", got)
		}
	case instance.NotDone:
		e := clients.AsError(t, got.Err)
		if status < 400 || e.RequestID == "" || e.Code == "" || e.Kind == cas.KindTransient ||
			e.Kind == cas.KindOther || e.Kind == cas.KindWrongState {
			t.Errorf("not done, because of %#v", *e)
		}
	default:
		if got.Err == nil {
			t.Errorf("unknown, with %+v", got)
		}
	}
	return true
}
