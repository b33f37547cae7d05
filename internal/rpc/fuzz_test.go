// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// FuzzNoReplyIsTakenForWhatItIsNot decodes any status and any body. A success is a JSON object with a request id and
// fields of the documented types. Anything else is an error that says what it is: only a refusal has a code, a success
// that is not understood never has one, so that nothing can be concluded from it, and no text shows a secret.
func FuzzNoReplyIsTakenForWhatItIsNot(f *testing.F) {
	for _, seed := range []struct {
		status uint16
		body   string
	}{
		{200, ""}, {200, "null"}, {200, "{}"}, {200, "[]"}, {200, `"x"`}, {200, "<html>Sign in to the network</html>"},
		{502, "<html>Bad Gateway</html>"},
		{200, `{"RequestId":"R-1","OrderId":98987582437920968}`},
		{200, `{"RequestId":"R-1","OrderId":"98987582437920968"}`},
		{200, `{"RequestId":"R-1","OrderId":9.8987582437920968e16}`},
		{200, `{"RequestId":"R-1","OrderId":{"PrivateKey":"k"}}`},
		{200, `{"RequestId":"R-1","OrderId":1`}, {200, `{"RequestId":"R-1","OrderId":1} {"RequestId":"R-2"}`},
		{200, `{"requestid":"R-1"}`},
		{200, `{"RequestId":"R-1","Code":"Throttling.User"}`}, {200, `{"RequestId":null,"OrderId":null}`},
		{400, `{"RequestId":"R-1","HostId":"h","Code":"Throttling.User","Message":"Request was denied."}`},
		{400, `{"RequestId":77,"Code":4003,"Message":5}`},
		{400, `{"RequestId":{},"Code":[],"Message":{},"AccessDeniedDetail":7}`},
		{400, `{"RequestId":"R-1","Code":"SignatureDoesNotMatch","Message":"server string to sign ` +
			`is:POST&%2F&AccessKeyId"}`},
		{403, `{"RequestId":"R-1","Code":"NoPermission","Message":"denied","AccessDeniedDetail":{"AuthAction":"yundun-cert:X"}}`},
		{307, ""}, {101, ""}, {999, `{"Code":"InvalidParameter","RequestId":"R-1"}`},
		{400, `{"RequestId":"R-1","Code":"` + testCredentials.AccessKeyID + `","Message":"` + testPhone + ` ` +
			testEmail + `"}`},
	} {
		f.Add(seed.status, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		answer := &reply{response: &http.Response{StatusCode: 100 + (int(status)+800)%900, Header: http.Header{}},
			body: body}
		resp := newReply()
		err := answer.decode(newRequest(), resp, newScrubber(testCredentials, filled()))
		if err == nil {
			checkSuccess(t, answer, resp)
			return
		}
		checkFailure(t, answer, err)
	})
}

// filled is a request whose secrets are in its parameters, as they are when it was signed.
func filled() requests.AcsRequest {
	req := newRequest()
	maps.Copy(req.QueryParams, map[string]string{"Csr": testCSR, "Username": testName, "Email": testEmail,
		"Phone": testPhone})
	return req
}

// Compares resp with what another decoder than the SDK's finds in the answer.
func checkSuccess(t *testing.T, answer *reply, resp *testReply) {
	t.Helper()
	var fields map[string]json.RawMessage
	if status := answer.response.StatusCode; status < 200 || status >= 300 ||
		json.Unmarshal(answer.body, &fields) != nil || len(fields) == 0 {
		t.Fatalf("%d with %q is a success", status, answer.body)
	}
	literal := string(fields["OrderId"])
	var want string
	if literal != "null" && json.Unmarshal(fields["OrderId"], &want) != nil {
		want = literal // a number, to its last digit
	}
	if utf8.Valid(answer.body) && resp.OrderID != want {
		t.Errorf("the order id of %q is %q", answer.body, resp.OrderID)
	}
}

func checkFailure(t *testing.T, answer *reply, err *Error) {
	t.Helper()
	status := answer.response.StatusCode
	isSuccess, isRedirect := status >= 200 && status < 300, status >= 300 && status < 400
	switch {
	case !err.Sent || err.HTTPStatus != status || err.Kind == "" || err.Message == "" && err.Code == "":
		t.Errorf("%d with %q is %#v", status, answer.body, *err)
	case isSuccess && (err.Kind != KindUndecodable || err.Code != ""), isRedirect &&
		(err.Kind != KindRedirect || err.Code != ""):
		t.Errorf("%d with %q proves something: %#v", status, answer.body, *err)
	case err.Code != "" && !json.Valid(answer.body):
		t.Errorf("%q, which is no JSON, has a code: %#v", answer.body, *err)
	case strings.ContainsFunc(err.Code+err.RequestID+err.DeniedAction, notOfIdentifier):
		t.Errorf("what is no name is taken for one: %#v", *err)
	}
	checkSafe(t, err)
}
