// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// OIDCProvider is an issuer of tokens that an account knows.
type OIDCProvider struct {
	// Name is the last part of its ARN, which is acs:ram::<account>:oidc-provider/<Name>.
	Name string
	// Issuer is the iss of its tokens.
	Issuer string
	// ClientIDs are the audiences that the account accepts.
	ClientIDs []string
	// Keys returns the JWKS document of the issuer. It is called for each token, and may call methods of Server.
	Keys func(context.Context) ([]byte, error)
}

// OIDCTrust is who may assume a role with a token. Empty conditions hold for any token of the provider.
type OIDCTrust struct {
	// Provider is the name of a provider of the role's account.
	Provider string
	// Audience, Subject and Issuer are the conditions oidc:aud, oidc:sub and oidc:iss.
	Audience, Subject, Issuer string
}

func (a *account) addProvider(p OIDCProvider) {
	_, exists := a.providers[p.Name]
	if p.Name == "" || exists || p.Keys == nil {
		panic(fmt.Sprintf("cassim: a second OIDC provider %q, or one without a name or keys", p.Name))
	}
	a.providers[p.Name] = p
}

// OIDCProviderARN is the ARN of a provider of the first account. It panics if there is none.
func (s *Server) OIDCProviderARN(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.firstAccount()
	if _, exists := a.providers[name]; !exists {
		panic(fmt.Sprintf("cassim: there is no OIDC provider %q", name))
	}
	return providerARN(a.id, name)
}

// Returns a provider and its account, which is nil if there is no such provider.
func (s *Server) providerByARN(arn string) (OIDCProvider, *account) {
	id, name, _ := strings.Cut(strings.TrimPrefix(arn, arnPrefix), ":oidc-provider/")
	if a := s.accounts[id]; a != nil && arn == providerARN(id, name) {
		if p, exists := a.providers[name]; exists {
			return p, a
		}
	}
	return OIDCProvider{}, nil
}

const keysTimeout = 5 * time.Second

// fetchKeys gets the keys that a token is to be verified with. It must not be called under the lock, since the answer
// may come from somebody who asks the simulator.
func (s *Server) fetchKeys(c *call) {
	if !c.isUnsigned() {
		return
	}
	s.mu.Lock()
	provider, account := s.providerByARN(c.arg("OIDCProviderArn"))
	s.mu.Unlock()
	if account == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
	defer cancel()
	var err error
	if c.keys, err = provider.Keys(ctx); err != nil {
		s.opts.Logf("STS has no keys of %s: %v", provider.Issuer, err)
	}
}

// unauthenticated are the refusals of AssumeRoleWithOIDC, all of them with HTTP 401:
// https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-errorcodes.
func unauthenticated(code, format string, args ...any) *refusal {
	return refuse(http.StatusUnauthorized, "AuthenticationFail."+code, format, args...)
}

// assumeRoleWithOIDC is AssumeRoleWithOIDC. Two things are choices: in which order it looks at role, provider and
// token; and that a role which does not exist is EntityNotExist.Role, as for AssumeRole.
func (s *Server) assumeRoleWithOIDC(c *call) (reply, *refusal) {
	if c.arg("OIDCToken") == "" {
		return nil, unauthenticated("OIDCToken.Invalid", "The OIDCToken can not empty.")
	}
	provider, account := s.providerByARN(c.arg("OIDCProviderArn"))
	if account == nil {
		return nil, unauthenticated("NoPermission", "No such OIDC Provider registered.")
	}
	token, refused := provider.verify(c.arg("OIDCToken"), c.keys, s.gatewayNow())
	if refused != nil {
		return nil, refused
	}
	r := s.roleByARN(c.arg("RoleArn"))
	if r == nil {
		return nil, noSuchRole()
	}
	if r.account != account ||
		!slices.ContainsFunc(r.OIDC, func(t OIDCTrust) bool { return t.holds(provider.Name, token) }) {
		return nil, unauthenticated("NoPermission", "There is no permission")
	}
	name, lifetime, refused := c.wanted(r)
	if refused != nil {
		return nil, refused
	}
	told := s.begin(r, name, lifetime).told()
	told["OIDCTokenInfo"] = map[string]string{
		"Subject": token.Subject, "Issuer": token.Issuer, "ClientIds": strings.Join(token.Audience, ","),
	}
	return told, nil
}
