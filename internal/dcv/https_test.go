// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package dcv

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/miekg/dns"
)

// overHTTPS puts DNS over HTTPS in front of a name server. Its certificate is trusted by nobody.
func overHTTPS(t *testing.T, behind *nameServer) *httptest.Server {
	t.Helper()
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		query := new(dns.Msg)
		if err != nil || query.Unpack(body) != nil || r.Header.Get("Content-Type") != "application/dns-message" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		reply, err := dns.ExchangeContext(r.Context(), query, behind.addr)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		packed, err := reply.Pack()
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/dns-message")
		_, _ = w.Write(packed)
	}))
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // that nobody trusts it is no news
	front.StartTLS()
	t.Cleanup(front.Close)
	return front
}

func TestAResolverOverHTTPSIsAskedLikeAnyOther(t *testing.T) {
	front := overHTTPS(t, serving(t, soa("example.com")+"_dnsauth.example.com. TXT v1"))
	system := http.DefaultTransport
	http.DefaultTransport = front.Client().Transport // trusts the certificate
	t.Cleanup(func() { http.DefaultTransport = system })
	check := &SelfCheck{Nameservers: []string{front.URL + "/dns-query"}}
	if got, err := check.Check(t.Context(), txt("v1")); err != nil || !got.Visible {
		t.Errorf("got %+v, %v", got, err)
	}
	if zone, err := check.FindZone(t.Context(), "www.example.com"); err != nil || zone != "example.com" {
		t.Errorf("got %q, %v", zone, err)
	}
}

func TestAResolverOverHTTPSThatIsNotTrustedIsNotBelieved(t *testing.T) {
	front := overHTTPS(t, serving(t, "_dnsauth.example.com. TXT v1"))
	_, err := (&SelfCheck{Nameservers: []string{front.URL}}).Check(t.Context(), txt("v1"))
	wantTrouble(t, err, "no name server answered for TXT _dnsauth.example.com: "+front.URL+`: Post "`+front.URL+
		`": tls: failed to verify certificate: x509: certificate signed by unknown authority`)
	gone := "https://" + down(t)
	_, err = (&SelfCheck{Nameservers: []string{gone}}).Check(t.Context(), txt("v1"))
	wantTrouble(t, err, "no name server answered for TXT _dnsauth.example.com: "+gone+": connect: connection refused")
}
