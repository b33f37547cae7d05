// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// ProxyURL is a forward proxy that ends TLS itself, with certificates under TLSRootPEM. A process that uses it as its
// HTTPS_PROXY, and has that root in its SSL_CERT_FILE, finds the simulator under every name: cas.aliyuncs.com,
// alidns.aliyuncs.com, sts.aliyuncs.com. As its HTTP_PROXY it leads to the metadata server, and nowhere else: what goes
// out in plain text shows.
func (s *Server) ProxyURL() string { return s.proxy.url() }

func (s *Server) forward() http.Handler {
	metadata := s.metadata()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch host, port, err := net.SplitHostPort(r.Host); {
		case r.Method != http.MethodConnect && r.URL.Hostname() == metadataHost:
			metadata.ServeHTTP(w, r)
		case r.Method == http.MethodConnect && err == nil && host != "" && port == "443":
			s.tunnel(w, host)
		default:
			http.Error(w, "this proxy leads to port 443, and to the metadata server", http.StatusForbidden)
		}
	})
}

// tunnel takes the connection from the proxy, and gives it to the server of tunnels as one to the host.
func (s *Server) tunnel(w http.ResponseWriter, host string) {
	if !s.enter() {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	defer s.done.Done()
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection Established\r\n\r\n")); err != nil {
		_ = conn.Close()
		return
	}
	s.tunnels.add(tls.Server(&buffer{conn, buffered.Reader}, s.tls.configFor(host)))
}

// buffer is a connection of which something was read already.
type buffer struct {
	net.Conn
	reader *bufio.Reader
}

func (b *buffer) Read(into []byte) (int, error) { return b.reader.Read(into) }

// tunnels is a listener whose connections are those that the proxy took.
type tunnels struct {
	endpoint *endpoint
	conns    chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newTunnels() *tunnels { return &tunnels{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (t *tunnels) add(conn net.Conn) {
	select {
	case t.conns <- conn:
	case <-t.closed:
		_ = conn.Close()
	}
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case conn := <-t.conns:
		return conn, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}

// Addr is none of a network's.
func (t *tunnels) Addr() net.Addr { return &net.UnixAddr{Name: "tunnels", Net: "unix"} }
