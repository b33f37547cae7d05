// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
)

// The values below are what must never appear in an error.
var testCredentials = Credentials{
	AccessKeyID:     "LTAI5tTESTkeyIdentifier",
	AccessKeySecret: "TESTkeySecretTESTkeySecret",
	SecurityToken:   "CAISTESTsecurityToken+/=",
}

const (
	testCSR   = "-----BEGIN CERTIFICATE REQUEST-----\nMIIBTESTcsr\n-----END CERTIFICATE REQUEST-----\n"
	testName  = "Zhang San"
	testEmail = "zhang.san@example.com"
	testPhone = "+86 138 0000 0000"
)

// testRate keeps the process-wide buckets out of the tests that are not about them.
const testRate = 1e6

type testReply struct {
	*responses.BaseResponse
	RequestID string `json:"RequestId"`
	OrderID   string `json:"OrderId"`
}

func newReply() *testReply { return &testReply{BaseResponse: &responses.BaseResponse{}} }

// newRequest has all the parameters that are secret.
func newRequest() *sdkcas.CreateCertificateWithCsrRequestRequest {
	req := sdkcas.CreateCreateCertificateWithCsrRequestRequest()
	req.Csr = testCSR
	req.Username = testName
	req.Email = testEmail
	req.Phone = testPhone
	return req
}

func newCaller(t *testing.T, url string, change ...func(*Config)) *Caller {
	t.Helper()
	config := Config{
		Endpoint:    Endpoint{Region: "cn-hangzhou", URL: url},
		Credentials: StaticCredentials(testCredentials),
		Rate:        testRate,
		Timeout:     10 * time.Second,
	}
	for _, f := range change {
		f(&config)
	}
	caller, err := New(config)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return caller
}

// answering is a service that gives the same answer to every call.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func serving(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// listening is a server below HTTP: serve gets each connection.
func listening(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

// failing makes a call that has to fail, and returns its error.
func failing(t *testing.T, caller *Caller) *Error {
	t.Helper()
	return asError(t, caller.Do(context.Background(), newRequest(), newReply()))
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}

// steppingClock shows start when it is first read and later ever after.
func steppingClock(start, later time.Time) func() time.Time {
	var reads atomic.Int32
	return func() time.Time {
		if reads.Add(1) == 1 {
			return start
		}
		return later
	}
}
