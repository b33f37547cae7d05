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

// gateway stands before the simulator. It passes everything on at once, but from some create on it keeps back the
// answers to creates, when the orders are billed already and nobody knows their ids yet.
type gateway struct {
	*httptest.Server
	t *testing.T
	// kept has an element for each answer that is kept back. Release lets them go, and all further ones pass.
	kept    chan struct{}
	Release func()
}

// keepBack lets the first answers pass.
func keepBack(t *testing.T, simulator *cassim.Server, first int) *gateway {
	t.Helper()
	target, err := url.Parse(simulator.URL())
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan struct{})
	g := &gateway{t: t, kept: make(chan struct{}, 1000), Release: sync.OnceFunc(func() { close(released) })}
	passes := make(chan struct{}, first)
	for range first {
		passes <- struct{}{}
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(answer *http.Response) error {
		if answer.Request.URL.Query().Get("Action") != "CreateCertificateWithCsrRequest" {
			return nil
		}
		select {
		case <-passes:
		default:
			g.kept <- struct{}{}
			<-released
		}
		return nil
	}
	g.Server = httptest.NewServer(proxy)
	t.Cleanup(g.Close)
	t.Cleanup(g.Release)
	return g
}

// keeps waits until n answers are kept back.
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
