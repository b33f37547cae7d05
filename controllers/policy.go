// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

// Policy is what the operator of an installation allows issuers, whoever wrote them. The zero value allows the least.
type Policy struct {
	// OwnIdentityForIssuers and OwnIdentityForClusterIssuers let them use the controller's own identity.
	OwnIdentityForIssuers, OwnIdentityForClusterIssuers bool
	// EndpointHosts are the hosts that AliyunIssuers may name in endpoints; ".example.com" stands for all hosts below it.
	// An AliyunClusterIssuer may name any: whoever writes one is an operator.
	EndpointHosts []string
}

// mayUseOwn says whether an issuer may use the controller's own identity.
func (p Policy) mayUseOwn(kind string) bool {
	if kind == v1alpha1.AliyunClusterIssuerKind {
		return p.OwnIdentityForClusterIssuers
	}
	return p.OwnIdentityForIssuers
}

// allows returns a problem if an issuer may not have calls sent to the endpoint: whoever may write an issuer could
// otherwise reach what only the controller reaches, and be told what it answers.
func (p Policy) allows(kind string, from v1alpha1.Credentials, endpoint *v1alpha1.Endpoint) error {
	if endpoint == nil || kind == v1alpha1.AliyunClusterIssuerKind {
		return nil
	}
	if credentials.UsesOwn(from) {
		return &credentials.Problem{Reason: v1alpha1.ReasonCredentialsNotAllowed, Message: "an AliyunIssuer that uses the controller's own identity may not name an endpoint: " +
			"what the controller signs with it goes to Alibaba Cloud's own endpoints only. Remove the endpoint, or use credentials of the namespace"}
	}
	host := ""
	if u, err := url.Parse(endpoint.URL); err == nil {
		host = strings.ToLower(u.Hostname())
	}
	for _, allowed := range p.EndpointHosts {
		if host == allowed || strings.HasPrefix(allowed, ".") && strings.HasSuffix(host, allowed) {
			return nil
		}
	}
	return &credentials.Problem{Reason: v1alpha1.ReasonEndpointNotAllowed, Message: fmt.Sprintf(
		"an AliyunIssuer may not name the host %q in an endpoint: use an endpoint of Alibaba Cloud, or let the operator allow it (chart value issuerEndpointHosts)", host)}
}
