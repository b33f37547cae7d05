// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAReplyThatIsNoSuccessIsAnErrorOfItsKind(t *testing.T) {
	const action = "CreateCertificateWithCsrRequest"
	tests := map[string]struct {
		status int
		body   string
		want   Error
	}{
		"a refusal has code, message and request id": {
			status: 400, body: `{"RequestId":"R-1","HostId":"h","Code":"Throttling.User","Message":"Request ` +
				`was denied."}`,
			want: Error{Kind: KindThrottled, Code: "Throttling.User", HTTPStatus: 400, RequestID: "R-1",
				Message: "Request was denied."},
		},
		"a code may be a number, on which the SDK panics": {
			status: 400, body: `{"RequestId":77,"Code":4003,"Message":5}`,
			want: Error{Kind: KindOther, Code: "4003", HTTPStatus: 400, RequestID: "77", Message: "5"},
		},
		"a refused permission names the action": {
			status: 403, body: `{"RequestId":"R-1","Code":"NoPermission","Message":"denied","AccessDeniedDetail":{"AuthAction":"yundun-cert:ListUserCertificateOrder","UserId":1}}`,
			want: Error{Kind: KindPermission, Code: "NoPermission", HTTPStatus: 403, RequestID: "R-1",
				Message: "denied", DeniedAction: "yundun-cert:ListUserCertificateOrder"},
		},
		"a signature that does not fit says what to look at, and quotes nothing": {
			status: 400, body: `{"RequestId":"R-1","Code":"SignatureDoesNotMatch","Message":"POST&x"}`,
			want: Error{Kind: KindCredentialsInvalid, Code: "SignatureDoesNotMatch", HTTPStatus: 400, RequestID: "R-1",
				Message: "the AccessKey secret does not fit the AccessKey id"},
		},
		"a detail that is no object is ignored": {
			status: 403, body: `{"RequestId":"R-1","Code":"NoPermission","Message":"denied","AccessDeniedDetail":"none"}`,
			want: Error{Kind: KindPermission, Code: "NoPermission", HTTPStatus: 403, RequestID: "R-1",
				Message: "denied", DeniedAction: "yundun-cert:" + action},
		},
		"a permission of whose name the service says nothing": {
			status: 403, body: `{"RequestId":"R-1","Code":"Forbidden.RAM","Message":"denied"}`,
			want: Error{Kind: KindPermission, Code: "Forbidden.RAM", HTTPStatus: 403, RequestID: "R-1",
				Message: "denied", DeniedAction: "yundun-cert:" + action},
		},
		"a gateway that is not the service's": {
			status: 502, body: `<html>Bad Gateway</html>`,
			want: Error{Kind: KindTransient, HTTPStatus: 502, Message: "the body has no error code: not an answer " +
				"of the service"},
		},
		"a code that is prose is not a code": {
			status: 400, body: `{"Code":"Sorry, that went wrong","Message":"m"}`,
			want: Error{Kind: KindOther, HTTPStatus: 400, Message: "the body has no error code: not an answer of " +
				"the service"},
		},
		"a redirect is not followed": {
			status: 307, body: ``,
			want: Error{Kind: KindRedirect, HTTPStatus: 307, Message: "redirected, which is never followed"},
		},
		"a success of HTML": {
			status: 200, body: `<html>Sign in to the network</html>`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an " +
				"answer of the service"},
		},
		"a success without a body": {
			status: 200, body: ``,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an " +
				"answer of the service"},
		},
		"a success of an empty object": {
			status: 200, body: `{}`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an " +
				"answer of the service"},
		},
		"a success that breaks off": {
			status: 200, body: `{"RequestId":"R-1","OrderId":1`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an " +
				"answer of the service"},
		},
		"a success with a field of another type": {
			status: 200, body: `{"RequestId":"R-1","OrderId":{"PrivateKey":"k"}}`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, RequestID: "R-1", Message: "success, but its fields " +
				"are not of the documented types"},
		},
		"a success that is too large": {
			status: 200, body: strings.Repeat(" ", maxReply+1),
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "the reply is larger than 4194304 bytes"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls int
			caller := newCaller(t, serving(t, func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			test.want.Action, test.want.Sent = action, true
			got := failing(t, caller)
			if diff := cmp.Diff(&test.want, got, cmpopts.IgnoreUnexported(Error{})); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if calls != 1 {
				t.Errorf("sent %d times", calls)
			}
		})
	}
}

func TestAReplyWithoutAnEndIsNotReadToIt(t *testing.T) {
	endless := func(start, more string) string {
		return listening(t, func(conn net.Conn) {
			readHeader(conn)
			_, err := io.WriteString(conn, start)
			for err == nil {
				_, err = io.WriteString(conn, more)
			}
		})
	}
	tests := map[string]struct {
		url     string
		kind    Kind
		message string
	}{
		"header": {endless("HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("x", 1000)+"\r\n"), KindNetwork,
			"exceeded 65536 bytes"},
		"body": {endless("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat(" ", 1<<16)), KindUndecodable,
			"larger than 4194304 bytes"},
	}
	for name, test := range tests {
		if e := failing(t, newCaller(t, test.url)); e.Kind != test.kind || !e.Sent ||
			!strings.Contains(e.Message, test.message) {
			t.Errorf("%s: got %#v", name, *e)
		}
	}
}
