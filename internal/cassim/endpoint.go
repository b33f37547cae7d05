// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"strings"
	"time"
)

// endpoint is an HTTP server that listens.
type endpoint struct {
	server   *http.Server
	listener net.Listener
}

// Begins to serve. Close waits for the end.
func (s *Server) serve(listener net.Listener, handler http.Handler) *endpoint {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(logWriter{s}, "", 0)}
	s.done.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.opts.Logf("cassim: %v", err)
		}
	})
	return &endpoint{server, listener}
}

func (e *endpoint) url() string { return "http://" + e.listener.Addr().String() }

// close does nothing to an endpoint that did not begin.
func (e *endpoint) close(ctx context.Context) {
	if e != nil && e.server.Shutdown(ctx) != nil {
		_ = e.server.Close() // a connection that hangs must not hang the test
	}
}

// logWriter takes what net/http has to say.
type logWriter struct{ s *Server }

func (w logWriter) Write(line []byte) (int, error) {
	w.s.opts.Logf("%s", strings.TrimSpace(string(line)))
	return len(line), nil
}
