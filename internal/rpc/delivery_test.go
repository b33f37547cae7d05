// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

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
			status: 400, body: `{"RequestId":"R-1","HostId":"h","Code":"Throttling.User","Message":"Request was denied."}`,
			want: Error{Kind: KindThrottled, Code: "Throttling.User", HTTPStatus: 400, RequestID: "R-1", Message: "Request was denied."},
		},
		"a code may be a number, on which the SDK panics": {
			status: 400, body: `{"RequestId":77,"Code":4003,"Message":5}`,
			want: Error{Kind: KindOther, Code: "4003", HTTPStatus: 400, RequestID: "77", Message: "5"},
		},
		"a refused permission names the action": {
			status: 403, body: `{"RequestId":"R-1","Code":"NoPermission","Message":"denied","AccessDeniedDetail":{"AuthAction":"yundun-cert:ListUserCertificateOrder","UserId":1}}`,
			want: Error{Kind: KindPermission, Code: "NoPermission", HTTPStatus: 403, RequestID: "R-1", Message: "denied", DeniedAction: "yundun-cert:ListUserCertificateOrder"},
		},
		"a signature that does not fit says what to look at, and quotes nothing": {
			status: 400, body: `{"RequestId":"R-1","Code":"SignatureDoesNotMatch","Message":"POST&x"}`,
			want: Error{Kind: KindCredentialsInvalid, Code: "SignatureDoesNotMatch", HTTPStatus: 400, RequestID: "R-1", Message: "the AccessKey secret does not fit the AccessKey id"},
		},
		"a detail that is no object is ignored": {
			status: 403, body: `{"RequestId":"R-1","Code":"NoPermission","Message":"denied","AccessDeniedDetail":"none"}`,
			want: Error{Kind: KindPermission, Code: "NoPermission", HTTPStatus: 403, RequestID: "R-1", Message: "denied", DeniedAction: "yundun-cert:" + action},
		},
		"a permission of whose name the service says nothing": {
			status: 403, body: `{"RequestId":"R-1","Code":"Forbidden.RAM","Message":"denied"}`,
			want: Error{Kind: KindPermission, Code: "Forbidden.RAM", HTTPStatus: 403, RequestID: "R-1", Message: "denied", DeniedAction: "yundun-cert:" + action},
		},
		"a gateway that is not the service's": {
			status: 502, body: `<html>Bad Gateway</html>`,
			want: Error{Kind: KindTransient, HTTPStatus: 502, Message: "the body has no error code: not an answer of the service"},
		},
		"a code that is prose is not a code": {
			status: 400, body: `{"Code":"Sorry, that went wrong","Message":"m"}`,
			want: Error{Kind: KindOther, HTTPStatus: 400, Message: "the body has no error code: not an answer of the service"},
		},
		"a redirect is not followed": {
			status: 307, body: ``,
			want: Error{Kind: KindRedirect, HTTPStatus: 307, Message: "redirected, which is never followed: check the endpoint and the proxy"},
		},
		"a success of HTML": {
			status: 200, body: `<html>Sign in to the network</html>`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an answer of the service"},
		},
		"a success without a body": {
			status: 200, body: ``,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an answer of the service"},
		},
		"a success of an empty object": {
			status: 200, body: `{}`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an answer of the service"},
		},
		"a success that breaks off": {
			status: 200, body: `{"RequestId":"R-1","OrderId":1`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, Message: "success without a RequestId: not an answer of the service"},
		},
		"a success with a field of another type": {
			status: 200, body: `{"RequestId":"R-1","OrderId":{"PrivateKey":"k"}}`,
			want: Error{Kind: KindUndecodable, HTTPStatus: 200, RequestID: "R-1", Message: "success, but its fields are not of the documented types"},
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

func TestAConnectionThatIsRefusedProvesThatNothingWasSent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	e := failing(t, newCaller(t, "http://"+address))
	if e.Kind != KindNetwork || e.Sent || !IsNotSent(e) || !IsTransient(e) {
		t.Errorf("got %#v", *e)
	}
}

func TestAReplyThatIsLostMeansThatTheRequestWasSent(t *testing.T) {
	tests := map[string]func(net.Conn){
		"the server hangs up": func(conn net.Conn) {
			readHeader(conn)
			_ = conn.Close()
		},
		"the reply breaks off": func(conn net.Conn) {
			readHeader(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"RequestId\"")
			_ = conn.Close()
		},
		"the reply is not HTTP": func(conn net.Conn) {
			readHeader(conn)
			_, _ = io.WriteString(conn, "220 smtp.example.com ready\r\n")
			_ = conn.Close()
		},
	}
	for name, serve := range tests {
		t.Run(name, func(t *testing.T) {
			e := failing(t, newCaller(t, listening(t, serve)))
			if e.Kind != KindNetwork || !e.Sent || IsNotSent(e) {
				t.Errorf("got %#v", *e)
			}
		})
	}
}

func TestAnAnswerThatOvertakesItsRequestDoesNotPassForNotSent(t *testing.T) {
	// The header is too large for the buffers of the kernel, and the server reads none of it.
	url := listening(t, func(conn net.Conn) {
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		_, _ = io.ReadFull(conn, make([]byte, 1))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"RequestId\"")
		_ = conn.(*net.TCPConn).CloseWrite()
	})
	req := newRequest()
	req.Csr = strings.Repeat("x", 10<<20)
	e := asError(t, newCaller(t, url).DoOnce(context.Background(), req, newReply(), Once{}))
	if e.Kind != KindNetwork || !e.Sent || !strings.Contains(e.Message, "broke off") {
		t.Errorf("got kind %s, sent %t, %s", e.Kind, e.Sent, e.Message)
	}
}

func TestTheMessageOfABrokenConnectionIsTheSameFromCallToCall(t *testing.T) {
	url := listening(t, func(conn net.Conn) {
		readHeader(conn)
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	})
	first, second := failing(t, newCaller(t, url)), failing(t, newCaller(t, url))
	if first.Error() != second.Error() || !strings.Contains(first.Message, "connection reset by peer") {
		t.Errorf("%q and %q", first, second)
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
		"header": {endless("HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("x", 1000)+"\r\n"), KindNetwork, "exceeded 65536 bytes"},
		"body":   {endless("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat(" ", 1<<16)), KindUndecodable, "larger than 4194304 bytes"},
	}
	for name, test := range tests {
		if e := failing(t, newCaller(t, test.url)); e.Kind != test.kind || !e.Sent || !strings.Contains(e.Message, test.message) {
			t.Errorf("%s: got %#v", name, *e)
		}
	}
}

func readHeader(conn net.Conn) string {
	var header strings.Builder
	buffer := make([]byte, 1024)
	for !strings.Contains(header.String(), "\r\n\r\n") {
		n, err := conn.Read(buffer)
		header.Write(buffer[:n])
		if err != nil {
			break
		}
	}
	return header.String()
}

func TestACallThatHangsEndsWithItsContext(t *testing.T) {
	hang := func(t *testing.T) (url string, arrived <-chan struct{}) {
		signal, release := make(chan struct{}, 1), make(chan struct{})
		url = serving(t, func(http.ResponseWriter, *http.Request) {
			signal <- struct{}{}
			<-release
		})
		t.Cleanup(func() { close(release) })
		return url, signal
	}
	t.Run("cancelled", func(t *testing.T) {
		url, arrived := hang(t)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-arrived
			cancel()
		}()
		e := asError(t, newCaller(t, url).Do(ctx, newRequest(), newReply()))
		if e.Kind != KindNetwork || !e.Sent || !errors.Is(e, context.Canceled) {
			t.Errorf("got %#v", *e)
		}
	})
	t.Run("out of time", func(t *testing.T) {
		url, _ := hang(t)
		caller := newCaller(t, url, func(c *Config) { c.Timeout = 100 * time.Millisecond })
		e := failing(t, caller)
		if e.Kind != KindNetwork || !e.Sent || !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("got %#v", *e)
		}
	})
}

func TestACallWhoseContextHasEndedIsNotSent(t *testing.T) {
	caller := newCaller(t, serving(t, func(http.ResponseWriter, *http.Request) {
		t.Error("a request was sent")
	}), func(c *Config) {
		c.Credentials = func(context.Context) (Credentials, error) {
			return Credentials{}, errors.New("cannot be read any more")
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := asError(t, caller.Do(ctx, newRequest(), newReply()))
	if e.Kind != KindNetwork || e.Sent || !errors.Is(e, context.Canceled) {
		t.Errorf("got %#v", *e)
	}
}
