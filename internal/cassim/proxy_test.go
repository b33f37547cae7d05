// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// through is a client that uses a proxy for all, and trusts a root only.
func (w *world) through(proxy string, root []byte) *http.Client {
	w.t.Helper()
	target, err := url.Parse(proxy)
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	transport := &http.Transport{Proxy: http.ProxyURL(target), TLSClientConfig: &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// get returns the status and the body, or 0 and the error.
func (w *world) get(client *http.Client, target string) (status int, text string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestTheProxyEndsTLSUnderEveryName(t *testing.T) {
	w := start(t, cassim.Options{})
	client := w.through(w.ProxyURL(), w.TLSRootPEM())
	for _, host := range []string{"cas.aliyuncs.com", "sts-vpc.cn-hangzhou.aliyuncs.com", "192.0.2.1"} {
		target := "https://" + host + "/?" + signed(aPackage, nil).Encode()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = resp.Body.Close()
		all := w.Requests()
		if last := all[len(all)-1]; resp.StatusCode != http.StatusOK || last.Host != host {
			t.Errorf("%s: HTTP %d, sent to %q", host, resp.StatusCode, last.Host)
		}
	}
	if status, text := w.get(w.through(w.ProxyURL(), w.RootPEM()), "https://cas.aliyuncs.com/"); status != 0 {
		t.Errorf("the authority of customers' certificates is trusted with the endpoints: HTTP %d %s", status, text)
	}
}

func TestTheProxyLeadsNowhereElse(t *testing.T) {
	w := start(t, withInstance())
	client := w.through(w.ProxyURL(), w.TLSRootPEM())
	if status, text := w.get(client, "https://cas.aliyuncs.com:8443/"); status != 0 ||
		!strings.Contains(text, "Forbidden") {
		t.Errorf("another port: HTTP %d, %s", status, text)
	}
	if status, _ := w.get(client, "http://cas.aliyuncs.com/"); status != 403 {
		t.Errorf("plain text: HTTP %d", status)
	}
	if status, _ := w.get(http.DefaultClient, w.ProxyURL()+"/"); status != 403 {
		t.Errorf("no proxy request: HTTP %d", status)
	}
	metadata := w.through(w.MetadataURL(), w.TLSRootPEM())
	for name, client := range map[string]*http.Client{"the proxy": client, "the metadata server as a proxy": metadata} {
		if status, text := w.get(client, "http://100.100.100.200"+credentialsPath); status != 200 || text != "node" {
			t.Errorf("the metadata through %s: HTTP %d, %s", name, status, text)
		}
	}
	if status, _ := w.get(metadata, "http://cas.aliyuncs.com"+credentialsPath); status != 403 {
		t.Errorf("another host through the metadata server: HTTP %d", status)
	}
	if status, text := w.get(metadata, "https://cas.aliyuncs.com/"); status != 0 ||
		!strings.Contains(text, "Forbidden") {
		t.Errorf("a tunnel through the metadata server: HTTP %d, %s", status, text)
	}
}

func TestTheSimulatorClosesWithTunnelsOpen(t *testing.T) {
	w := start(t, cassim.Options{})
	client := w.through(w.ProxyURL(), w.TLSRootPEM())
	if status, text := w.get(client, "https://cas.aliyuncs.com/-/healthz"); status != 200 {
		t.Fatalf("HTTP %d, %s", status, text)
	}
	w.Close()
	if status, _ := w.get(client, "https://cas.aliyuncs.com/-/healthz"); status != 0 {
		t.Errorf("HTTP %d after the end", status)
	}
}
