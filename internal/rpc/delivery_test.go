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
)

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
		c.Credentials = CredentialsFunc(func(context.Context) (Credentials, error) {
			return Credentials{}, errors.New("cannot be read any more")
		})
	})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := asError(t, caller.Do(ctx, newRequest(), newReply()))
	if e.Kind != KindNetwork || e.Sent || !errors.Is(e, context.Canceled) {
		t.Errorf("got %#v", *e)
	}
}
