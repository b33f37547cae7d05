// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	connectTimeout = 5 * time.Second
	idleTimeout    = 90 * time.Second
	// idlePerHost is enough for the ten calls a second that an account may make of a verb (docs/design/cas.md §9).
	idlePerHost = 8
	// maxReplyHeader is far above what the services send.
	maxReplyHeader = 64 << 10
	// maxTransports bounds what a cluster with many private CA bundles can make us keep.
	maxTransports = 16
)

// transports is shared by the whole process, because each http.Transport holds idle connections: one for
// each client would leak them (docs/design/cas.md §10.1).
var transports = transportPool{entries: map[string]*pooledTransport{}}

// transportPool holds a transport for each CA bundle, and forgets the one that was not used for longest.
type transportPool struct {
	mu      sync.Mutex
	entries map[string]*pooledTransport
	clock   uint64
}

type pooledTransport struct {
	// shared keeps connections for the next call; fresh dials for each call and closes after it.
	shared, fresh *http.Transport
	lastUsed      uint64
}

// get returns the transport that trusts caBundle, or the system's roots if that is empty.
func (p *transportPool) get(caBundle []byte) (*pooledTransport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock++
	if entry, ok := p.entries[string(caBundle)]; ok {
		entry.lastUsed = p.clock
		return entry, nil
	}
	var roots *x509.CertPool
	if len(caBundle) > 0 {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(caBundle) {
			return nil, errors.New("the CA bundle has no PEM certificate")
		}
	}
	if len(p.entries) >= maxTransports {
		p.evict()
	}
	entry := &pooledTransport{shared: newTransport(roots), fresh: newTransport(roots), lastUsed: p.clock}
	entry.fresh.DisableKeepAlives = true
	p.entries[string(caBundle)] = entry
	return entry, nil
}

// evict drops one entry. Callers that still hold it go on using it; its idle connections end by themselves.
func (p *transportPool) evict() {
	var oldest string
	for key, entry := range p.entries {
		if found, ok := p.entries[oldest]; !ok || entry.lastUsed < found.lastUsed {
			oldest = key
		}
	}
	p.entries[oldest].shared.CloseIdleConnections()
	delete(p.entries, oldest)
}

// newTransport speaks HTTP/1.1 only: over HTTP/2 a request may be repeated after its header was written, and the hook
// that tells whether it was written proves less there.
func newTransport(roots *x509.CertPool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:           protocols,
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: connectTimeout,
		IdleConnTimeout:     idleTimeout,
		MaxIdleConnsPerHost: idlePerHost,

		OnProxyConnectResponse: proxyAnswered,
		MaxResponseHeaderBytes: maxReplyHeader,
	}
}

// proxyAnswered says whose refusal it is. The error of net/http would be "Forbidden", as if CAS had said so.
func proxyAnswered(_ context.Context, _ *url.URL, _ *http.Request, reply *http.Response) error {
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy of the environment refused the connection with status %d", reply.StatusCode)
	}
	return nil
}
