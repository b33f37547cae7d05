// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package httpfile_test

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/httpfile"
)

const path = "/.well-known/pki-validation/fileauth.txt"

// example.com is the name in the certificate of httptest's TLS server, and so is *.example.com.
var shop = dcv.Record{FQDN: "shop.example.com", Type: dcv.TypeFile, Zone: path, Value: "content"}

// Serves all hosts, with https on port 443 and plain on port 80. Nobody serves the port of a nil handler.
func site(t *testing.T, https, plain http.HandlerFunc) *httpfile.SelfCheck {
	t.Helper()
	check, ports := &httpfile.SelfCheck{RootCAs: x509.NewCertPool()}, map[string]string{}
	if https != nil {
		server := httptest.NewTLSServer(https)
		t.Cleanup(server.Close)
		check.RootCAs.AddCert(server.Certificate())
		ports["443"] = server.Listener.Addr().String()
	}
	if plain != nil {
		server := httptest.NewServer(plain)
		t.Cleanup(server.Close)
		ports["80"] = server.Listener.Addr().String()
	}
	check.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if ports[port] == "" {
			ports[port] = "127.0.0.1:1"
		}
		return (&net.Dialer{}).DialContext(ctx, network, ports[port])
	}
	return check
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, text)
	}
}

func redirects(code int, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, code) }
}

func TestTheFileIsSeenOnEitherPort(t *testing.T) {
	for name, check := range map[string]*httpfile.SelfCheck{
		"both":                       site(t, says("content"), says("content")),
		"https only":                 site(t, says("content\n"), nil),
		"http only":                  site(t, nil, says(" content\r\n")),
		"http, as https has another": site(t, says("old"), says("content")),
		"https, as http redirects": site(
			t, says("content"), redirects(http.StatusFound, "https://shop.example.com"+path)),
	} {
		if seen, err := check.Check(t.Context(), shop, nil); err != nil || !seen.Visible || len(seen.Seen) > 0 {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
	}
}

func TestWhatAnsweredWhatIsSaid(t *testing.T) {
	untrusted := site(t, says("content"), nil)
	untrusted.RootCAs = x509.NewCertPool()
	unknown := &httpfile.SelfCheck{Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
	}}
	for name, row := range map[string]struct {
		check       *httpfile.SelfCheck
		https, http string
	}{
		"nobody":    {site(t, nil, nil), "refuses the connection", "refuses the connection"},
		"not found": {site(t, http.NotFound, http.NotFound), "answers 404", "answers 404"},
		"another":   {site(t, nil, says("something else")), "refuses the connection", "has another content there"},
		"endless": {site(t, nil, says("content"+strings.Repeat("x", 1<<20))), "refuses the connection",
			"has another content there"},
		"redirects": {
			site(t, nil, redirects(http.StatusMovedPermanently, "https://user:pass@login.example.com/a?token=secret")),
			"refuses the connection",
			"redirects (301) to https://login.example.com/a, and the CA follows no redirect",
		},
		"to nowhere": {site(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotModified)
		}), "refuses the connection",
			"redirects (304) to nowhere, and the CA follows no redirect"},
		"untrusted": {untrusted, "has a certificate that is not trusted", "refuses the connection"},
		"unknown":   {unknown, "has no address in DNS", "has no address in DNS"},
		"breaks off": {site(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "content")
		}), "refuses the connection", "breaks off"},
	} {
		seen, err := row.check.Check(t.Context(), shop, nil)
		want := []string{"https://shop.example.com: " + row.https, "http://shop.example.com: " + row.http}
		if err != nil || seen.Visible || !slices.Equal(seen.Seen, want) {
			t.Errorf("%s: %q, %v, want %q", name, seen.Seen, err, want)
		}
	}
}

// TestTheWWWOfARegisteredDomainCounts serves the file at one of the two names only.
func TestTheWWWOfARegisteredDomainCounts(t *testing.T) {
	check := site(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "example.com" {
			http.NotFound(w, r)
			return
		}
		says("content")(w, r)
	})
	apex := shop
	apex.FQDN = "example.com"
	seen, err := check.Check(t.Context(), apex, nil)
	if want := []string{"https://www.example.com: refuses the connection",
		"http://www.example.com: answers 404"}; err != nil || seen.Visible || !slices.Equal(seen.Seen, want) {
		t.Errorf("%+v, %v", seen, err)
	}
}

// TestNobodySendsTheCheckToTheNodeItself orders certificates for names with addresses that only the node reaches.
func TestNobodySendsTheCheckToTheNodeItself(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "[::1]", "[fe80::1]",
		"[::ffff:127.0.0.1]", "localhost"} {
		rec := shop
		rec.FQDN = host
		seen, err := (&httpfile.SelfCheck{}).Check(t.Context(), rec, nil)
		if err != nil || seen.Visible || len(seen.Seen) != 2 ||
			!strings.HasSuffix(seen.Seen[1], "has an address that only this node can reach") {
			t.Errorf("%s: %+v, %v", host, seen, err)
		}
	}
}

func TestALookThatIsEndedSaysNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	hangs := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	if seen, err := site(t, nil, hangs).Check(ctx, shop, nil); err == nil {
		t.Errorf("%+v is said of a server that had no time to answer", seen)
	}
}
