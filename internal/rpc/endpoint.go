// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
)

// Endpoint says where a service is reached.
type Endpoint struct {
	// Region is sent as RegionId, for example cn-hangzhou.
	Region string
	// URL is scheme and host, for example https://cas.aliyuncs.com. The scheme is https, or http to a
	// loopback host: parameters, among them personal data and tokens, travel in the query, and replies can
	// hold a private key (docs/design/cas.md §10.1).
	URL string
	// CABundle is PEM. If it is not empty, only certificates that it vouches for are accepted, and the
	// system's roots are not.
	CABundle []byte
}

// AlibabaCloud is the realm of the documented endpoints of Alibaba Cloud.
const AlibabaCloud = "Alibaba Cloud"

// Realm returns a text that is the same for endpoints with the same servers behind them. What servers tell of an
// account, and count for it, holds within their realm only: whoever chooses the endpoint of an issuer could otherwise
// speak for somebody else's account. It is [AlibabaCloud] for a documented endpoint of Alibaba Cloud, and for no URL at
// all, which stands for one; with a CABundle it is not, since that may let somebody else answer there.
func (e Endpoint) Realm() string {
	u, err := url.Parse(e.URL)
	if err == nil && len(e.CABundle) == 0 && (e.URL == "" || IsDocumentedHost(u.Hostname())) {
		return AlibabaCloud
	}
	return fmt.Sprintf("%s %x", e.URL, sha256.Sum256(e.CABundle))
}

var regionID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// parse returns scheme and host (with its port, if it has one). Its errors do not quote the URL, which may
// contain a password.
func (e Endpoint) parse() (scheme, host string, err error) {
	if !regionID.MatchString(e.Region) {
		return "", "", fmt.Errorf("the region id %q is empty or has characters that none has", e.Region)
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return "", "", errors.New("the endpoint is not a URL")
	}
	if u.Hostname() == "" || u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return "", "", errors.New("the endpoint must be scheme and host only, such as https://cas.aliyuncs.com")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	case u.Scheme == "http":
		return "", "", errors.New("the endpoint must be https: http is for loopback hosts only")
	default:
		return "", "", errors.New("the endpoint must begin with https://")
	}
	return u.Scheme, u.Host, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
