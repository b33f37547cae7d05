// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package httpfile

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

const (
	// lookTimeout bounds the look at one host. A reconciler's worker waits for it.
	lookTimeout = 5 * time.Second
	// maxRead is more than any validation file has.
	maxRead = 4 << 10
)

// SelfCheck fetches validation files as the CA does (docs/design/cas.md §5.4): from port 443 with a certificate that is
// trusted, or from port 80, and without following redirects. The zero value is what the CA does.
type SelfCheck struct {
	// Dial replaces the default dialer. That refuses the addresses of the node itself and of its link, and of its
	// cloud's metadata: whoever orders a certificate chooses the name.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs are trusted instead of the system's.
	RootCAs *x509.CertPool
}

// Check looks for the file at all hosts that have to serve it, of those that its order waits for. Seen says what each
// answered instead.
func (c *SelfCheck) Check(ctx context.Context, rec dcv.Record, beside []dcv.Record) (dcv.Observation, error) {
	client := c.client()
	defer client.CloseIdleConnections()
	var seen []string
	for _, host := range hostsOf(rec, beside) {
		var answers []string
		for _, scheme := range []string{"https", "http"} {
			answer := fetch(ctx, client, scheme+"://"+host+rec.Zone, rec.Value)
			if answer == "" {
				answers = nil
				break
			}
			answers = append(answers, scheme+"://"+host+": "+answer)
		}
		seen = append(seen, answers...)
	}
	if ctx.Err() != nil {
		return dcv.Observation{}, ctx.Err()
	}
	return dcv.Observation{Visible: len(seen) == 0, Seen: seen}, nil
}

// Returns what is wrong with the answer from the address, or "" if it is the content.
func fetch(ctx context.Context, client *http.Client, address, content string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "no address"
	}
	resp, err := client.Do(req)
	if err != nil {
		return failure(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or is of no use
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return fmt.Sprintf("redirects (%d) to %s, and the CA follows no redirect", resp.StatusCode, target(resp))
	case resp.StatusCode != http.StatusOK:
		return fmt.Sprintf("answers %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRead))
	switch {
	case err != nil:
		return "breaks off"
	case strings.TrimSpace(string(body)) != strings.TrimSpace(content):
		return "has another content there"
	default:
		return ""
	}
}

// Returns where a redirect leads, without user and query, which may be secret.
func target(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	text := (&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()
	return text[:min(len(text), 100)]
}

// Describes an error without addresses and ports, which differ from call to call.
func failure(err error) string {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "has a certificate that is not trusted"
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok && lookup.IsNotFound {
		return "has no address in DNS"
	}
	if errors.Is(err, errInner) {
		return errInner.Error()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "refuses the connection"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "does not answer in time"
	}
	return "cannot be reached"
}

var errInner = errors.New("has an address that only this node can reach")

func (c *SelfCheck) client() *http.Client {
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{Control: refuseInner}).DialContext
	}
	return &http.Client{
		Timeout:       lookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true},
	}
}

// refuseInner keeps the check from the node's own services and from the metadata of its cloud.
func refuseInner(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() ||
		ip.IsMulticast() || ip.Equal(aliyunMetadata) {
		return errInner
	}
	return nil
}

// aliyunMetadata is where Alibaba Cloud serves the metadata of an ECS instance.
var aliyunMetadata = net.IPv4(100, 100, 100, 200)
