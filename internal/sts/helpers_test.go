// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

const (
	accountID = "1000000000000001"
	issuerURL = "https://oidc.example.com/cluster"
	subject   = "system:serviceaccount:team:issuer"
	audience  = "sts.aliyuncs.com"
)

// The values below are what must never appear in an error, beside clients.Keys.
const (
	testToken      = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
	testExternalID = "TESTexternal-id/of=the,owner"
)

var testRole = sts.Role{ARN: "acs:ram::" + accountID + ":role/issuer", SessionName: "a-test", Duration: time.Hour,
	ExternalID: testExternalID}

var defaultKeys = rpc.Credentials{AccessKeyID: cassim.DefaultKeyID, AccessKeySecret: cassim.DefaultKeySecret}

// world is a simulator and our client in front of it.
type world struct {
	*cassim.Server
	t      *testing.T
	client *sts.Client
}

// start has one account, with these roles.
func start(t *testing.T, change func(*cassim.Options), roles ...cassim.Role) *world {
	t.Helper()
	account := cassim.DefaultAccount()
	account.Roles = roles
	opts := cassim.Options{Accounts: []cassim.Account{account}}
	if change != nil {
		change(&opts)
	}
	w := &world{Server: cassim.New(opts), t: t}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.client = newClient(w.URL())
	return w
}

func newClient(endpoint string) *sts.Client {
	return sts.New(sts.Config{Endpoint: rpc.Endpoint{Region: "cn-hangzhou", URL: endpoint}, Rate: clients.Rate})
}

func (w *world) role(name string) sts.Role {
	return sts.Role{ARN: w.RoleARN(name), SessionName: "a-test", Duration: time.Hour}
}

// assume begins a session that has to be granted.
func (w *world) assume(keys rpc.Credentials, role sts.Role) sts.Session {
	w.t.Helper()
	session, err := w.client.AssumeRole(w.t.Context(), keys, role)
	if err != nil {
		w.t.Fatal(err)
	}
	return session
}

// Fails unless STS says that the session's keys belong to this ARN.
func (w *world) wantIs(session sts.Session, arn string) {
	w.t.Helper()
	told, err := w.client.CallerIdentity(w.t.Context(), session.Keys)
	if want := (sts.Identity{Account: accountID, ARN: arn}); err != nil || told != want {
		w.t.Errorf("the keys are of %+v, want %+v: %v", told, want, err)
	}
	if session.Keys.Account != "" {
		w.t.Errorf("the keys are counted under %q, which the ARN says and nobody has told", session.Keys.Account)
	}
}

// cluster is an issuer of tokens.
type cluster struct {
	t   *testing.T
	key *ecdsa.PrivateKey
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{t, key}
}

// withCluster lets the tokens of the cluster in.
func withCluster(c *cluster) func(*cassim.Options) {
	return func(opts *cassim.Options) {
		opts.Accounts[0].OIDCProviders = []cassim.OIDCProvider{
			{Name: "cluster", Issuer: issuerURL, ClientIDs: []string{audience}, Keys: c.jwks}}
	}
}

func (c *cluster) jwks(context.Context) ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{
		Keys: []jose.JSONWebKey{{Key: c.key.Public(), KeyID: "k", Algorithm: string(jose.ES256), Use: "sig"}}})
}

// token is a good one, with changes.
func (c *cluster) token(changes map[string]any) string {
	c.t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{"iss": issuerURL, "sub": subject, "aud": []string{audience}, "iat": now, "nbf": now,
		"exp": now + 600}
	maps.Copy(claims, changes)
	payload, err1 := json.Marshal(claims)
	signer, err2 := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: c.key, KeyID: "k"}},
		nil)
	if err1 != nil || err2 != nil {
		c.t.Fatal(err1, err2)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		c.t.Fatal(err)
	}
	return text
}

// verb is one call of the client, and what it must keep to itself.
type verb struct {
	action  string
	secrets []string
	call    func(context.Context, *sts.Client) (result any, err error)
}

var keySecrets = []string{clients.Keys.AccessKeyID, clients.Keys.AccessKeySecret, clients.Keys.SecurityToken}

var verbs = []verb{
	{"GetCallerIdentity", keySecrets, func(ctx context.Context, c *sts.Client) (any, error) {
		return c.CallerIdentity(ctx, clients.Keys)
	}},
	{"AssumeRole", append(keySecrets, testExternalID), func(ctx context.Context, c *sts.Client) (any, error) {
		return c.AssumeRole(ctx, clients.Keys, testRole)
	}},
	{"AssumeRoleWithOIDC", []string{testToken}, func(ctx context.Context, c *sts.Client) (any, error) {
		return c.AssumeRoleWithOIDC(ctx, "acs:ram::"+accountID+":oidc-provider/cluster", testToken, testRole)
	}},
}

// sessionVerbs are those that begin a session.
var sessionVerbs = verbs[1:]

// wantHides fails if the value, however it is printed, has one of these in it.
func wantHides(t testing.TB, value any, secrets ...string) {
	t.Helper()
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(format, value)
		for _, secret := range secrets {
			if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) ||
				strings.Contains(text, url.PathEscape(secret)) {
				t.Errorf("%s quotes %q: %s", format, secret, text)
			}
		}
	}
}
