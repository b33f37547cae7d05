// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// gateway stands before the simulator. It passes everything on at once, but when told to it keeps back the answers to
// creates, when the orders are billed already and nobody knows their ids yet.
type gateway struct {
	*httptest.Server
	t *testing.T
	// kept has an element for each answer that is kept back.
	kept chan struct{}

	mutex sync.Mutex
	// passes is how many answers are let through before.
	passes int
	// released lets go what is kept back. It is nil while everything passes.
	released chan struct{}
}

// newGateway makes one that keeps nothing back.
func newGateway(t *testing.T, simulator *cassim.Server) *gateway {
	t.Helper()
	target, err := url.Parse(simulator.URL())
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, kept: make(chan struct{}, 1000)}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(answer *http.Response) error {
		if answer.Request.URL.Query().Get("Action") != "CreateCertificateWithCsrRequest" {
			return nil
		}
		if released := g.keepsNow(); released != nil {
			g.kept <- struct{}{}
			<-released
		}
		return nil
	}
	// Whoever waited for an answer that is kept back may be dead by now.
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {}
	g.Server = httptest.NewServer(proxy)
	t.Cleanup(g.Close)
	t.Cleanup(g.release)
	return g
}

func (g *gateway) keepsNow() chan struct{} {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.passes > 0 {
		g.passes--
		return nil
	}
	return g.released
}

// keepBack lets the next answers pass, and keeps back all others.
func (g *gateway) keepBack(after int) {
	g.release()
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.passes, g.released = after, make(chan struct{})
}

// release lets go what is kept back, and all further ones pass.
func (g *gateway) release() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.released != nil {
		close(g.released)
	}
	g.passes, g.released = 0, nil
}

// keeps waits until n more answers are kept back.
func (g *gateway) keeps(n int) {
	g.t.Helper()
	limit := time.After(patience)
	for i := range n {
		select {
		case <-g.kept:
		case <-limit:
			g.t.Fatalf("%d answers are kept back, want %d", i, n)
		}
	}
}
