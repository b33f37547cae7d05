// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestACallThatStartsTooLateIsNotSent(t *testing.T) {
	caller := newCaller(t, serving(t, func(http.ResponseWriter, *http.Request) {
		t.Error("a request was sent")
	}), func(c *Config) { c.Now = func() time.Time { return noon.Add(time.Nanosecond) } })
	e := asError(t, caller.DoOnce(context.Background(), newRequest(), newReply(), Once{NotAfter: noon}))
	if e.Kind != KindLate || e.Sent {
		t.Errorf("got %#v", *e)
	}
}

func TestACallIsSentUpToTheLastMoment(t *testing.T) {
	caller := newCaller(t, answering(t, http.StatusOK, `{"RequestId":"R-1"}`),
		func(c *Config) { c.Now = func() time.Time { return noon } })
	if err := caller.DoOnce(context.Background(), newRequest(), newReply(), Once{NotAfter: noon}); err != nil {
		t.Error(err)
	}
}

func TestAProcessThatSleepsBeforeItWritesSendsNoRequestThatTheServiceCouldExecute(t *testing.T) {
	tests := map[string]string{
		"the request fits the buffer":              testCSR,
		"the request is larger than the buffer":    strings.Repeat("x", 5000),
		"the request fills several of the buffers": strings.Repeat("x", 40000),
	}
	for name, csr := range tests {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan string, 1)
			url := listening(t, func(conn net.Conn) {
				_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				all, _ := io.ReadAll(conn)
				arrived <- string(all)
			})
			caller := newCaller(t, url, func(c *Config) {
				c.Now = steppingClock(noon.Add(-time.Second), noon.Add(time.Second))
			})
			req := newRequest()
			req.Csr = csr
			e := asError(t, caller.DoOnce(context.Background(), req, newReply(), Once{NotAfter: noon}))
			if e.Kind != KindLate || e.Sent {
				t.Errorf("got %#v", *e)
			}
			if got := <-arrived; strings.Contains(got, "\r\n\r\n") {
				t.Error("the header arrived to its end")
			}
		})
	}
}

func TestAProcessThatSleepsBeforeItWritesOverTLSSendsNothingEither(t *testing.T) {
	url, caBundle := tlsServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	caller := newCaller(t, url, func(c *Config) {
		c.Endpoint.CABundle = caBundle
		c.Now = steppingClock(noon.Add(-time.Second), noon.Add(time.Second))
	})
	e := asError(t, caller.DoOnce(context.Background(), newRequest(), newReply(), Once{NotAfter: noon}))
	if e.Kind != KindLate || e.Sent {
		t.Errorf("got %#v", *e)
	}
}

func TestACallThatMustNotBeRepeatedHasAConnectionOfItsOwn(t *testing.T) {
	remotes := map[string]bool{}
	caller := newCaller(t, serving(t, func(w http.ResponseWriter, r *http.Request) {
		if remotes[r.RemoteAddr] {
			t.Errorf("the connection %s is used again", r.RemoteAddr)
		}
		remotes[r.RemoteAddr] = r.Close
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	}))
	for range 3 {
		if err := caller.DoOnce(context.Background(), newRequest(), newReply(), Once{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := caller.Do(context.Background(), newRequest(), newReply()); err != nil {
		t.Fatal(err)
	}
	if len(remotes) != 4 {
		t.Errorf("%d connections for 4 calls", len(remotes))
	}
}

func TestACallThatMustNotBeRepeatedIsNotWhenTheServerHangsUp(t *testing.T) {
	connections := make(chan struct{}, 10)
	caller := newCaller(t, listening(t, func(conn net.Conn) {
		connections <- struct{}{}
		_ = conn.Close()
	}))
	e := asError(t, caller.DoOnce(context.Background(), newRequest(), newReply(), Once{}))
	if e.Kind != KindNetwork {
		t.Errorf("got %#v", *e)
	}
	if len(connections) != 1 {
		t.Errorf("%d connections were made", len(connections))
	}
}
