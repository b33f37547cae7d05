// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv/rfc2136"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Policy is what the operator of an installation allows issuers, whoever wrote them. The zero value allows the least.
type Policy struct {
	// OwnIdentityForIssuers and OwnIdentityForClusterIssuers let them use the controller's own identity.
	OwnIdentityForIssuers, OwnIdentityForClusterIssuers bool
	// EndpointHosts are the hosts that AliyunIssuers may name in endpoints beside those that Alibaba Cloud documents;
	// ".example.com" stands for all hosts below it. Only for the hosts that are listed here may AliyunIssuers bring a
	// CA bundle. An AliyunClusterIssuer may name any: whoever writes one is an operator.
	EndpointHosts []string
	// Nameservers are the name servers that AliyunIssuers may have updated, as host or host:port. An
	// AliyunClusterIssuer may name any.
	Nameservers []string
	// Routes says which routes AliyunIssuers may have made.
	Routes RoutePolicy
}

// mayUseOwn says whether an issuer may use the controller's own identity.
func (p Policy) mayUseOwn(kind string) bool {
	if kind == v1alpha1.AliyunClusterIssuerKind {
		return p.OwnIdentityForClusterIssuers
	}
	return p.OwnIdentityForIssuers
}

// allows returns a problem if an issuer may not have calls sent to the endpoint: whoever may write an issuer could
// otherwise reach servers that only the controller reaches, and read their answers.
func (p Policy) allows(kind string, from v1alpha1.Credentials, endpoint *v1alpha1.Endpoint) error {
	if endpoint == nil || kind == v1alpha1.AliyunClusterIssuerKind {
		return nil
	}
	if credentials.UsesOwn(from) {
		return &credentials.Problem{Reason: v1alpha1.ReasonCredentialsNotAllowed, Message: "an AliyunIssuer that " +
			"uses the controller's own identity may not name an endpoint: what the controller signs with it goes to " +
			"Alibaba Cloud's own endpoints only. Remove the endpoint, or use credentials of the namespace"}
	}
	host := ""
	if u, err := url.Parse(endpoint.URL); err == nil {
		host = strings.ToLower(u.Hostname())
	}
	isListed := slices.ContainsFunc(p.EndpointHosts, func(allowed string) bool {
		return host == allowed || strings.HasPrefix(allowed, ".") && strings.HasSuffix(host, allowed)
	})
	switch isDocumented := rpc.IsDocumentedHost(host); {
	case isListed, isDocumented && len(endpoint.CABundle) == 0:
		return nil
	case isDocumented: // with a CA of the issuer's author, somebody else than Alibaba Cloud answers
		return &credentials.Problem{Reason: v1alpha1.ReasonEndpointNotAllowed, Message: fmt.Sprintf(
			"an AliyunIssuer may not bring a caBundle for %q, whose certificate a public CA vouches for: remove the "+
				"caBundle, or let the operator allow the host (chart value issuerEndpointHosts)", host)}
	default:
		return &credentials.Problem{Reason: v1alpha1.ReasonEndpointNotAllowed, Message: fmt.Sprintf(
			"an AliyunIssuer may not name the host %q in an endpoint: use an endpoint that Alibaba Cloud documents "+
				"for the service, or let the operator allow it (chart value issuerEndpointHosts)", host)}
	}
}

// allowsNameserver returns a problem if an issuer may not have the name server updated, for the same reason.
func (p Policy) allowsNameserver(kind, nameserver string) error {
	isListed := slices.ContainsFunc(
		p.Nameservers, func(allowed string) bool { return rfc2136.Address(allowed) == rfc2136.Address(nameserver) })
	if isListed || kind == v1alpha1.AliyunClusterIssuerKind {
		return nil
	}
	return &credentials.Problem{Reason: v1alpha1.ReasonNameserverNotAllowed, Message: fmt.Sprintf(
		"an AliyunIssuer may not have the name server %q updated: let the operator allow it (chart value "+
			"issuerNameservers), or use another solver", nameserver)}
}
