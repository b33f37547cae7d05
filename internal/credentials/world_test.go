// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/go-jose/go-jose/v4"
	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const (
	accountID  = "1000000000000001"
	issuerURL  = "https://oidc.example.com/cluster"
	audience   = "sts.aliyuncs.com"
	externalID = "TESTexternal-id/of=the,owner"
	// fast keeps the buckets, which the whole process shares, out of the tests that are not about them.
	fast = 1e6
)

// world is a cluster whose tokens an account at the simulator knows, and the Store between them, with a clock that only
// the test moves. The account has these roles:
//
//	issuer  of the ServiceAccount "issuer" in "team", and of the controller's own; and of all users
//	remote  of whoever has the external id
//	node    of the instance
type world struct {
	*cluster
	*cassim.Server
	*credentials.Store
	t     *testing.T
	key   *ecdsa.PrivateKey
	clock *clocktesting.FakePassiveClock
}

const ownSubject = "system:serviceaccount:system:aliyun-issuer"

func newWorld(t *testing.T, secrets ...*corev1.Secret) *world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{cluster: start(secrets...), t: t, key: key, clock: clocktesting.NewFakePassiveClock(time.Now())}
	w.sign = w.token
	account := cassim.DefaultAccount()
	account.Keys = append(account.Keys, cassim.Key{ID: keyID, Secret: secret, User: "alice"},
		cassim.Key{ID: "rotated-id", Secret: "rotated-secret", User: "alice"})
	account.OIDCProviders = []cassim.OIDCProvider{
		{Name: "cluster", Issuer: issuerURL, ClientIDs: []string{audience, "another"}, Keys: w.jwks}}
	account.Roles = []cassim.Role{
		{Name: "issuer", OIDC: []cassim.OIDCTrust{
			{Provider: "cluster", Subject: "system:serviceaccount:team:issuer", Audience: audience},
			{Provider: "cluster", Subject: ownSubject},
		}},
		{Name: "remote", ExternalID: externalID},
		{Name: "node", Services: []string{"ecs.aliyuncs.com"}},
	}
	w.Server = cassim.New(cassim.Options{Accounts: []cassim.Account{account}, InstanceRole: "node"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.Store = w.store()
	w.Now, w.STSRate = w.clock.Now, fast
	return w
}

func (w *world) jwks(context.Context) ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{
		Keys: []jose.JSONWebKey{{Key: w.key.Public(), KeyID: "k", Algorithm: string(jose.ES256), Use: "sig"}}})
}

// token is one of a ServiceAccount of the cluster.
func (w *world) token(namespace, account, audience string) string {
	now := time.Now().Unix()
	payload, _ := json.Marshal(map[string]any{
		"iss": issuerURL, "sub": "system:serviceaccount:" + namespace + ":" + account, "aud": []string{audience},
		"iat": now, "nbf": now, "exp": now + 600,
	})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: w.key, KeyID: "k"}},
		nil)
	if err != nil {
		w.t.Error(err)
		return ""
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		w.t.Error(err)
		return ""
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		w.t.Error(err)
	}
	return text
}

// ownToken gives the controller's Pod a token, and returns its file.
func (w *world) ownToken() (file string) {
	w.t.Helper()
	file = filepath.Join(w.t.TempDir(), "token")
	w.write(file, w.token("system", "aliyun-issuer", audience)+"\n")
	w.t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", file)
	return file
}

func (w *world) write(file, text string) {
	w.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// login is one in the namespace "team", at the simulated STS, that may use everything.
func (w *world) login(from v1alpha1.Credentials) credentials.Login {
	return credentials.Login{Namespace: "team", Credentials: from, MayUseOwn: true,
		STS: rpc.Endpoint{Region: "cn-hangzhou", URL: w.URL()}}
}

func (w *world) oidc(account string) v1alpha1.Credentials {
	from := &v1alpha1.OIDCCredentials{RoleARN: w.RoleARN("issuer"), ProviderARN: w.OIDCProviderARN("cluster")}
	if account != "" {
		from.ServiceAccountRef = &v1alpha1.ServiceAccountReference{Name: account, Audience: audience}
	}
	return v1alpha1.Credentials{OIDC: from}
}

// assuming is the role remote on top of others.
func (w *world) assuming(from v1alpha1.Credentials) v1alpha1.Credentials {
	from.AssumeRole = &v1alpha1.AssumeRole{RoleARN: w.RoleARN("remote"), ExternalID: externalID}
	return from
}

// call asks STS as an issuer asks CAS: refused credentials are told to the provider.
func (w *world) call(provider rpc.CredentialsProvider) (arn string, err error) {
	caller, err := rpc.New(rpc.Config{Endpoint: rpc.Endpoint{Region: "cn-hangzhou", URL: w.URL()},
		Credentials: provider, Rate: fast})
	if err != nil {
		return "", err
	}
	resp := sdksts.CreateGetCallerIdentityResponse()
	err = caller.Do(w.t.Context(), sdksts.CreateGetCallerIdentityRequest(), resp)
	return strings.TrimPrefix(resp.Arn, "acs:ram::"+accountID+":"), err
}

func (w *world) wantCall(provider rpc.CredentialsProvider, want string) {
	w.t.Helper()
	if arn, err := w.call(provider); err != nil || arn != want {
		w.t.Errorf("called as %q, %v, want %q", arn, err, want)
	}
}

func (w *world) wantCalls(action string, want int) {
	w.t.Helper()
	if got := w.Calls()[action]; got != want {
		w.t.Errorf("%d calls of %s, want %d", got, action, want)
	}
}

func (w *world) pass(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }

// problemOf signs in, which has to be a Problem that tells no secret.
func problemOf(t *testing.T, provider rpc.CredentialsProvider) credentials.Problem {
	t.Helper()
	keys, err := provider.Credentials(t.Context())
	if keys != (rpc.Credentials{}) {
		t.Error("there are keys")
	}
	return asProblem(t, err)
}
