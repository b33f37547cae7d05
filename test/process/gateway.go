// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// buys are the actions after which something is bought: of a plan, and of instances.
var buys = []string{"CreateCertificateWithCsrRequest", "ApplyCertificate"}

// gateway stands before the simulator, as that of Alibaba Cloud does, and can hold what is the most precious.
type gateway struct {
	*httptest.Server
	// calls are all of them, before anything has become of them.
	calls *barrier
	// greetings are TLS handshakes. A create has a connection of its own: while its greeting is held, the intent is
	// written and nothing is sent.
	greetings *barrier
	// answers are those to what buys. While one is held, the order is billed and nobody knows its id.
	answers *barrier
}

func newGateway(t *testing.T, simulator *cassim.Server) *gateway {
	t.Helper()
	target, err := url.Parse(simulator.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	g := &gateway{}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.calls.pass()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	g.calls, g.greetings, g.answers = newBarrier(t), newBarrier(t), newBarrier(t)
	proxy.ModifyResponse = func(answer *http.Response) error {
		if slices.Contains(buys, answer.Request.URL.Query().Get("Action")) {
			g.answers.pass()
		}
		return nil
	}
	// Whoever waited may be dead by now.
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {}
	g.Config.ErrorLog = log.New(io.Discard, "", 0)
	g.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (
		*tls.Config, error) {
		g.greetings.pass()
		return nil, nil
	}}
	g.StartTLS()
	return g
}

// endpoint is where issuers find it.
func (g *gateway) endpoint() *v1alpha1.Endpoint {
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw})
	return &v1alpha1.Endpoint{URL: g.URL, CABundle: bundle}
}
