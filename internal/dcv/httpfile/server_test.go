// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package httpfile

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// shelf is the one file that is wanted.
type shelf struct{ host, path, content string }

func (s shelf) Content(_ context.Context, host, path string) (string, bool) {
	return s.content, host == s.host && path == s.path
}

const at = "/.well-known/pki-validation/fileauth.txt"

// serve starts the server as the manager does, and ends it after the test.
func serve(t *testing.T, files Files) (address string) {
	t.Helper()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&Server{Address: address, Files: files}).Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended: %v", err)
		}
	})
	for range 100 {
		if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the server does not listen")
	return ""
}

func ask(t *testing.T, method, address, host, path string) (code int, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func TestTheFileIsServedByteForByteAndNothingElseIs(t *testing.T) {
	address := serve(t, shelf{"www.example.com", at, "<a>\ncontent"})
	for _, host := range []string{"www.example.com", "WWW.example.com", "www.example.com:80", "www.example.com."} {
		if code, header, body := ask(t, http.MethodGet, address, host, at); code != http.StatusOK ||
			body != "<a>\ncontent" || header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %d %q %q", host, code, body, header)
		}
	}
	if code, _, body := ask(t, http.MethodHead, address, "www.example.com", at); code != http.StatusOK || body != "" {
		t.Errorf("HEAD: %d %q", code, body)
	}
	for _, other := range [][2]string{
		{"example.com", at}, {"www.example.com.evil.com", at}, {"www.example.com", at + "/"},
		{"www.example.com", "/x/.." + at}, {"www.example.com", "/" + at},
		{"www.example.com", "/"}, {"www.example.com", "/metrics"}, {"", at},
	} {
		if code, _, body := ask(t, http.MethodGet, address, other[0], other[1]); code != http.StatusNotFound ||
			body != "no certificate order waits for this file\n" {
			t.Errorf("%q: %d %q", other, code, body)
		}
	}
	if code, header, _ := ask(t, http.MethodPost, address, "www.example.com",
		at); code != http.StatusMethodNotAllowed || header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", code)
	}
}

func TestAnAddressInUseIsAnErrorOfTheServer(t *testing.T) {
	address := serve(t, shelf{})
	if err := (&Server{Address: address, Files: shelf{}}).Start(t.Context()); err == nil {
		t.Error("a second server listens there")
	}
}

func TestEveryReplicaServes(t *testing.T) {
	if (&Server{}).NeedLeaderElection() {
		t.Error("only the leader serves, and the Service leads to all replicas")
	}
}
