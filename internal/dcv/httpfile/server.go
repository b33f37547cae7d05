// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package httpfile

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// The bounds of a request. A CA sends a short one and reads a short answer.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeaderBytes = 16 << 10
	// drain is how long requests may take once the process is to end.
	drain = 5 * time.Second
)

// Files knows which files CAs may ask for now.
type Files interface {
	// Content returns what the file at the path of the host must contain. ok is false if no such file is wanted.
	Content(ctx context.Context, host, path string) (content string, ok bool)
}

// Server serves validation files, by plain HTTP: HTTPS ends at the Ingress or Gateway. It runs on every replica, since
// a Service does not know which one leads.
type Server struct {
	// Address to listen on, as host:port.
	Address string
	Files   Files
}

// NeedLeaderElection lets the manager start it on every replica.
func (s *Server) NeedLeaderElection() bool { return false }

// Start serves until ctx ends.
func (s *Server) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: s, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		BaseContext:    func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err = server.Shutdown(last)
	if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
		return errors.Join(err, end)
	}
	return err
}

// ServeHTTP answers with the exact content of the file that is wanted at the host and path, and with 404 to all else.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	content, ok := "", false
	if strings.HasPrefix(r.URL.Path, folder) {
		content, ok = s.Files.Content(r.Context(), dcv.CanonicalName(host), r.URL.Path)
	}
	if !ok {
		http.Error(w, "no certificate order waits for this file", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, content) // an error means that the client has gone
}
