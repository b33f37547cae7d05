// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// tlsServer speaks HTTP/2 if it is asked to, with a certificate that only its own bundle vouches for.
func tlsServer(t *testing.T, handler http.HandlerFunc) (url string, caBundle []byte) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestAPrivateCAIsTrustedIfItIsInTheBundleAndHTTP2IsNeverSpoken(t *testing.T) {
	var protocol string
	url, caBundle := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		protocol = r.Proto
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	})
	caller := newCaller(t, url, func(c *Config) { c.Endpoint.CABundle = caBundle })
	if err := caller.Do(context.Background(), newRequest(), newReply()); err != nil {
		t.Fatal(err)
	}
	if err := caller.DoOnce(context.Background(), newRequest(), newReply(), Once{}); err != nil {
		t.Fatal(err)
	}
	if protocol != "HTTP/1.1" {
		t.Errorf("spoke %s", protocol)
	}
}

func TestACertificateOfAnotherCAIsRefusedBeforeAnythingIsSent(t *testing.T) {
	url, _ := tlsServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	e := failing(t, newCaller(t, url))
	if e.Kind != KindNetwork || e.Sent || !strings.Contains(e.Message, "certificate") {
		t.Errorf("got %#v", *e)
	}
}

func TestConnectionsAreUsedAgainByOtherCallersOfTheSameBundle(t *testing.T) {
	remotes := map[string]bool{}
	url := serving(t, func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = true
		_, _ = w.Write([]byte(`{"RequestId":"R-1"}`))
	})
	for range 5 {
		if err := newCaller(t, url).Do(context.Background(), newRequest(), newReply()); err != nil {
			t.Fatal(err)
		}
	}
	if len(remotes) != 1 {
		t.Errorf("%d connections for 5 calls one after the other", len(remotes))
	}
}

func TestTheBundleThatWasNotUsedForLongestIsForgotten(t *testing.T) {
	_, caBundle := tlsServer(t, nil)
	pool := transportPool{entries: map[string]*pooledTransport{}}
	bundle := func(i int) []byte { return append([]byte(fmt.Sprintf("# %d\n", i)), caBundle...) }
	get := func(i int) *pooledTransport {
		entry, err := pool.get(bundle(i))
		if err != nil {
			t.Fatal(err)
		}
		return entry
	}
	first, second := get(0), get(1)
	for i := 2; i < maxTransports; i++ {
		get(i)
	}
	if get(0) != first {
		t.Error("a transport was not kept")
	}
	get(maxTransports)
	if len(pool.entries) != maxTransports {
		t.Errorf("%d transports are kept, want %d", len(pool.entries), maxTransports)
	}
	if get(0) != first {
		t.Error("a transport that was in use was forgotten")
	}
	if get(1) == second {
		t.Error("the transport that was not used for longest was kept")
	}
}
