// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/access"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

const (
	account      = "1000000000000001"
	otherAccount = "1000000000000002"
	audience     = "sts.aliyuncs.com"
	provider     = "the-cluster"
	holder       = "orders"
	// otherKey is one of the other account.
	otherKey, otherSecret = "a-key-of-the-other-account", "a-secret-of-the-other-account"
)

// withRoles is an account that knows the API server, and has a role that nobody may assume with a token yet, and one
// that asks for a contract. Another account has a key.
func withRoles(t *testing.T) cassim.Options {
	t.Helper()
	own := cassim.DefaultAccount()
	own.ID = account
	own.OIDCProviders = []cassim.OIDCProvider{env.TokenIssuer(t, provider, audience, "another-audience")}
	own.Roles = []cassim.Role{{Name: "team"}, {Name: "deputy", ExternalID: "contract:42"}}
	other := cassim.Account{
		ID: otherAccount, Keys: []cassim.Key{{ID: otherKey, Secret: otherSecret}},
		Packages: map[string]int{gen.Product: 20}, Zones: []string{"example.net"},
	}
	return cassim.Options{Accounts: []cassim.Account{own, other}, CADelay: 1000 * time.Hour}
}

func roleARN(name string) string { return "acs:ram::" + account + ":role/" + name }

// oidc are credentials for the role team. Without a ServiceAccount the token is the controller's own.
func oidc(serviceAccount string) v1alpha1.Credentials {
	from := &v1alpha1.OIDCCredentials{RoleARN: roleARN("team"), ProviderARN: "acs:ram::" + account + ":oidc-provider/" +
		provider}
	if serviceAccount != "" {
		from.ServiceAccountRef = &v1alpha1.ServiceAccountReference{Name: serviceAccount}
	}
	return v1alpha1.Credentials{OIDC: from}
}

// assumed are credentials for a role on top of the AccessKey.
func assumed(name, externalID string) v1alpha1.Credentials {
	from := gen.IssuerSpec("").Credentials
	from.AssumeRole = &v1alpha1.AssumeRole{RoleARN: roleARN(name), ExternalID: externalID}
	return from
}

func serviceAccount(e *env.Env) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: holder}}
}

// trust lets the ServiceAccount assume the role team.
func trust(e *env.Env) {
	e.Simulator.SetRole("team", func(r *cassim.Role) {
		r.OIDC = []cassim.OIDCTrust{
			{Provider: provider, Audience: audience, Subject: "system:serviceaccount:" + e.Namespace + ":" + holder}}
	})
}

func trusted(e *env.Env) {
	e.Create(serviceAccount(e))
	trust(e)
}

// mayRequestNoTokens gives the reconcilers a user who was granted nothing.
func mayRequestNoTokens(e *env.Env) {
	self := "system:serviceaccount:" + e.Namespace + ":controller"
	e.Configure = func(remote *access.Remote) {
		remote.Secrets.Tokens, remote.Secrets.Self = env.ClientAs(e.T, self), credentials.Self(self)
	}
	e.Restart()
}

func identities(t *testing.T) map[string]scenario {
	t.Helper()
	with := func(from v1alpha1.Credentials, change ...func(*v1alpha1.AliyunIssuer)) func(*v1alpha1.AliyunIssuer) {
		return func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Credentials = from
			for _, c := range change {
				c(i)
			}
		}
	}
	wrongAudience, noProvider, noRole := oidc(holder), oidc(holder), oidc(holder)
	wrongAudience.OIDC.ServiceAccountRef.Audience = "another-audience"
	noProvider.OIDC.ProviderARN = "acs:ram::" + account + ":oidc-provider/another-cluster"
	noRole.OIDC.RoleARN = roleARN("gone")
	ambient := v1alpha1.Credentials{Ambient: &v1alpha1.AmbientCredentials{}}
	skewed := func(ahead time.Duration) func(*env.Env) {
		return func(e *env.Env) { trusted(e); e.Simulator.SetSkew(ahead) }
	}
	elsewhere := func(e *v1alpha1.Endpoint) *v1alpha1.Endpoint { // by a name that nobody has allowed
		return &v1alpha1.Endpoint{URL: strings.Replace(e.URL, "127.0.0.1", "localhost", 1)}
	}
	all := map[string]scenario{
		"role that does not trust the token": {before: func(e *env.Env) { e.Create(serviceAccount(e)) },
			issuer: with(oidc(holder))},
		"token for another audience":      {before: trusted, issuer: with(wrongAudience)},
		"role that is gone":               {before: trusted, issuer: with(noRole)},
		"provider that is not registered": {before: trusted, issuer: with(noProvider)},
		"role of another contract":        {issuer: with(assumed("deputy", "contract:43"))},
		"role without its contract":       {issuer: with(assumed("deputy", ""))},
		"role for an unknown AccessKey": {before: func(e *env.Env) { replaceKey(e, "unknown", "wrong") },
			issuer: with(assumed("team", ""))},
		"no right to request tokens": {before: func(e *env.Env) { trusted(e); mayRequestNoTokens(e) },
			issuer: with(oidc(holder))},
		"missing ServiceAccount": {before: trust, issuer: with(oidc(holder))},
		"no token of its own": {
			before: func(e *env.Env) { e.T.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "") },
			shared: func(_ *env.Env, i *v1alpha1.AliyunClusterIssuer) { i.Spec.Credentials = oidc("") },
		},
		"ambient in an AliyunIssuer": {
			issuer: with(ambient, func(i *v1alpha1.AliyunIssuer) { i.Spec.Endpoint, i.Spec.STSEndpoint = nil, nil })},
		"endpoint that is not allowed": {
			issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.Endpoint = elsewhere(i.Spec.Endpoint) }},
		"endpoint of STS that is not allowed": {
			issuer: func(i *v1alpha1.AliyunIssuer) { i.Spec.STSEndpoint = elsewhere(i.Spec.Endpoint) }},
		"endpoint of a solver that is not allowed": {
			issuer: func(i *v1alpha1.AliyunIssuer) {
				i.Spec.Solvers[0].DNS.Alidns.Endpoint = elsewhere(i.Spec.Endpoint)
			}},
		"CA bundle that is not allowed": {issuer: func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Endpoint = &v1alpha1.Endpoint{URL: "https://cas.aliyuncs.com", CABundle: []byte("x")}
		}},
		"name server that is not allowed": {issuer: func(i *v1alpha1.AliyunIssuer) {
			i.Spec.Solvers[0].DNS = &v1alpha1.DNSSolver{RFC2136: &v1alpha1.RFC2136Solver{
				Nameserver: "ns.internal.example.com", TSIGKeyName: "key",
				TSIGSecretSecretRef: &v1alpha1.SecretKeyReference{
					SecretReference: v1alpha1.SecretReference{Name: "tsig"}, Key: "secret"},
			}}
		}},
		"nobody at STS": {
			before: trusted, issuer: with(
				oidc(holder), func(i *v1alpha1.AliyunIssuer) { i.Spec.STSEndpoint.URL = "http://127.0.0.1:1" })},
		"clock that is wrong":                           {before: skewed(time.Hour)},
		"clock that is wrong for a role":                {before: skewed(time.Hour), issuer: with(assumed("team", ""))},
		"clock that is wrong for a token":               {before: skewed(time.Hour), issuer: with(oidc(holder))},
		"clock that is wrong by less than is tolerated": {before: skewed(12 * time.Minute), issuer: with(oidc(holder))},
		"domain that is not allowed": {
			shared: func(_ *env.Env, i *v1alpha1.AliyunClusterIssuer) {
				i.Spec.AllowedDomains = []string{"example.net"}
			}},
		"namespace that is not allowed": {shared: func(_ *env.Env, i *v1alpha1.AliyunClusterIssuer) {
			i.Spec.AllowedNamespaces = &v1alpha1.NamespaceSelector{Names: []string{"team-a"}}
		}},
		"key of another account": {billed: 1, after: func(e *env.Env) { replaceKey(e, otherKey, otherSecret) }},
	}
	for name, s := range all {
		s.options = withRoles(t)
		all[name] = s
	}
	return all
}

// TestEveryObstacleToAnIdentityIsToldInWordsThatHelp compares what users read when the controller cannot sign in, or
// may not order for them.
func TestEveryObstacleToAnIdentityIsToldInWordsThatHelp(t *testing.T) {
	for name, s := range identities(t) {
		t.Run(name, func(t *testing.T) { isTold(t, name, s) })
	}
}
