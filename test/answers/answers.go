// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package answers is a service of Alibaba Cloud, on the loopback, that answers as a test says, whatever it is asked.
// internal/cassim is one that knows what it is asked.
package answers

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// By serves with a handler until the test ends.
func By(t testing.TB, handler http.HandlerFunc) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// Always gives the same answer to every call.
func Always(t testing.TB, status int, body string) (url string) {
	t.Helper()
	return By(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// Never fails the test if any call reaches it.
func Never(t testing.TB) (url string) {
	t.Helper()
	return By(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was sent", r.URL.Query().Get("Action"))
	})
}

// Next is the answer to the calls that come next. Set another one between two calls.
type Next struct {
	Status int
	Body   []byte
}

// Serve gives the answer. It is a handler for By.
func (n *Next) Serve(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(n.Status)
	_, _ = w.Write(n.Body)
}

// HangUp ends the connection without an answer.
func HangUp(t testing.TB, w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_ = conn.Close()
}

// Refusal is the body with which a product, like cas, refuses a call. Its request id is R-1.
func Refusal(product, code string) string {
	return fmt.Sprintf(`{"RequestId":"R-1","HostId":"%s.aliyuncs.com","Code":%q,"Message":"because"}`, product, code)
}
