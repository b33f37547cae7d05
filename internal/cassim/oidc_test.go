// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/go-jose/go-jose/v4"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

const (
	issuerURL = "https://oidc.example.com/cluster"
	subject   = "system:serviceaccount:aliyun-issuer:controller"
)

// tokenIssuer is a cluster that signs tokens with a key for each algorithm; the kid of a key is its algorithm. It also
// publishes the RSA key for what it does not do: for another algorithm, and for encryption.
type tokenIssuer struct {
	t    *testing.T
	keys map[jose.SignatureAlgorithm]crypto.Signer
}

func newTokenIssuer(t *testing.T) *tokenIssuer {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &tokenIssuer{t, map[jose.SignatureAlgorithm]crypto.Signer{jose.RS256: rsaKey, jose.ES256: newKey(t)}}
}

func (i *tokenIssuer) jwks(context.Context) ([]byte, error) {
	var set jose.JSONWebKeySet
	for algorithm, key := range i.keys {
		set.Keys = append(
			set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: string(algorithm), Algorithm: string(algorithm),
				Use: "sig"})
	}
	public := i.keys[jose.RS256].Public()
	set.Keys = append(set.Keys,
		jose.JSONWebKey{Key: public, KeyID: "for-PS256", Algorithm: "PS256", Use: "sig"},
		jose.JSONWebKey{Key: public, KeyID: "for-encryption", Algorithm: "RS256", Use: "enc"})
	return json.Marshal(set)
}

// claims are those of a good token, with changes. A value of nil removes the claim.
func claims(changes map[string]any) map[string]any {
	now := time.Now().Unix()
	all := map[string]any{
		"iss": issuerURL, "sub": subject, "aud": []string{"sts.aliyuncs.com"}, "iat": now, "nbf": now,
		"exp": now + 3600,
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func (i *tokenIssuer) sign(algorithm jose.SignatureAlgorithm, kid string, claims map[string]any) string {
	i.t.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: i.keys[algorithm], KeyID: kid}}, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		i.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func (i *tokenIssuer) token(changes map[string]any) string {
	i.t.Helper()
	return i.sign(jose.RS256, string(jose.RS256), claims(changes))
}

// byHand is a token whose algorithm is a lie.
func byHand(header string, claims map[string]any, mac func(text string) []byte) string {
	payload, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(text))
}

// tampered has the signature of other claims.
func tampered(token string, claims map[string]any) string {
	parts := strings.Split(token, ".")
	payload, _ := json.Marshal(claims)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
}

// hs256WithPublicKey is the classic: the public key, which everybody knows, as the secret of a symmetric algorithm.
func (i *tokenIssuer) hs256WithPublicKey() string {
	der, err := x509.MarshalPKIXPublicKey(i.keys[jose.RS256].Public())
	if err != nil {
		i.t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return byHand(`{"alg":"HS256","kid":"RS256"}`, claims(nil), func(text string) []byte {
		mac := hmac.New(sha256.New, public)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	})
}

// withTokens has the role "issuer", which the tokens of the cluster may assume under the conditions of trust.
func withTokens(i *tokenIssuer, trust cassim.OIDCTrust) cassim.Options {
	trust.Provider = "cluster"
	opts := withRoles(cassim.Role{Name: "issuer", OIDC: []cassim.OIDCTrust{trust}})
	opts.Accounts[0].OIDCProviders = []cassim.OIDCProvider{{
		Name: "cluster", Issuer: issuerURL, ClientIDs: []string{"sts.aliyuncs.com", "another"}, Keys: i.jwks,
	}}
	return opts
}

func oidcForm(w *world, role, provider, token string) url.Values {
	return url.Values{
		"RoleArn": {w.RoleARN(role)}, "OIDCProviderArn": {"acs:ram::" + accountID + ":oidc-provider/" + provider},
		"OIDCToken": {token}, "RoleSessionName": {"a-test"},
	}
}

// postOIDC sends AssumeRoleWithOIDC as SDKs do: without a signature.
func (w *world) postOIDC(form url.Values) (int, map[string]any) {
	w.t.Helper()
	return w.post(url.Values{
		"Version": {"2015-04-01"}, "Action": {"AssumeRoleWithOIDC"}, "Format": {"JSON"},
		"Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")},
	}, form.Encode())
}

// wantOIDC wants the code, and a status of 401 with the codes that begin with AuthenticationFail.
func (w *world) wantOIDC(name string, form url.Values, code string) map[string]any {
	w.t.Helper()
	want := 200
	if strings.HasPrefix(code, "AuthenticationFail.") {
		want = 401
	} else if code != "" {
		want = 400
	}
	status, answer := w.postOIDC(form)
	if got, _ := answer["Code"].(string); got != code || status != want {
		w.t.Errorf("%s: HTTP %d, %v, want %q", name, status, answer, code)
	}
	return answer
}

func TestATokenBecomesASession(t *testing.T) {
	issuer := newTokenIssuer(t)
	w := start(t, withTokens(
		issuer, cassim.OIDCTrust{Subject: subject, Audience: "sts.aliyuncs.com", Issuer: issuerURL}))
	for name, token := range map[string]string{
		"RS256":                   issuer.token(nil),
		"ES256":                   issuer.sign(jose.ES256, "ES256", claims(nil)),
		"an audience as a string": issuer.token(map[string]any{"aud": "sts.aliyuncs.com"}),
		"one audience of many":    issuer.token(map[string]any{"aud": []string{"foreign", "sts.aliyuncs.com"}}),
	} {
		answer := w.wantOIDC(name, oidcForm(w, "issuer", "cluster", token), "")
		text, _ := json.Marshal(answer)
		var told sdksts.AssumeRoleWithOIDCResponse
		if err := json.Unmarshal(text, &told); err != nil {
			t.Fatal(err)
		}
		if info := told.OIDCTokenInfo; info.Subject != subject || info.Issuer != issuerURL ||
			!strings.Contains(info.ClientIds, "sts.aliyuncs.com") {
			t.Errorf("%s: told %+v", name, info)
		}
		if told.AssumedRoleUser.Arn != "acs:ram::"+accountID+":assumed-role/issuer/a-test" {
			t.Errorf("%s: told %+v", name, told.AssumedRoleUser)
		}
		if err := w.ask(told.Credentials); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATokenIsRefused(t *testing.T) {
	issuer, stranger := newTokenIssuer(t), newTokenIssuer(t)
	w := start(t, withTokens(issuer, cassim.OIDCTrust{Subject: subject, Audience: "sts.aliyuncs.com"}))
	const (
		invalid      = "AuthenticationFail.OIDCToken.Invalid"
		signature    = "AuthenticationFail.OIDCToken.InvalidSignature"
		audience     = "AuthenticationFail.OIDCToken.AudienceNotMatch"
		expired      = "AuthenticationFail.OIDCToken.Expired"
		noPermission = "AuthenticationFail.NoPermission"
	)
	now := time.Now().Unix()
	nothing := func(string) []byte { return nil }
	for name, test := range map[string]struct{ token, code string }{
		"no token":                      {"", invalid},
		"two parts":                     {"a.b", invalid},
		"no base64":                     {"!.!.!", invalid},
		"no JSON":                       {"YQ.YQ.YQ", invalid},
		"a wrong audience":              {issuer.token(map[string]any{"aud": "foreign"}), audience},
		"no audience":                   {issuer.token(map[string]any{"aud": nil}), audience},
		"an audience the role forbids":  {issuer.token(map[string]any{"aud": "another"}), noPermission},
		"a wrong issuer":                {issuer.token(map[string]any{"iss": issuerURL + "/"}), invalid},
		"a wrong subject":               {issuer.token(map[string]any{"sub": subject + "s"}), noPermission},
		"an expired token":              {issuer.token(map[string]any{"exp": now}), expired},
		"a token without an end":        {issuer.token(map[string]any{"exp": nil}), invalid},
		"a token that is not valid yet": {issuer.token(map[string]any{"nbf": now + 60}), invalid},
		"a token of the future":         {issuer.token(map[string]any{"iat": now + 60}), invalid},
		"a claim of the wrong type":     {issuer.token(map[string]any{"sub": 7}), invalid},
		"a foreign key":                 {stranger.token(nil), signature},
		"a key that is not published":   {issuer.sign(jose.RS256, "old", claims(nil)), signature},
		"a key of another algorithm":    {issuer.sign(jose.RS256, "ES256", claims(nil)), signature},
		"a key for another algorithm":   {issuer.sign(jose.RS256, "for-PS256", claims(nil)), signature},
		"a key for another use":         {issuer.sign(jose.RS256, "for-encryption", claims(nil)), signature},
		"no kid":                        {issuer.sign(jose.RS256, "", claims(nil)), invalid},
		"the algorithm none":            {byHand(`{"alg":"none","kid":"RS256"}`, claims(nil), nothing), invalid},
		"HS256 with the public key":     {issuer.hs256WithPublicKey(), invalid},
		"a tampered payload": {
			tampered(issuer.token(map[string]any{"sub": "system:serviceaccount:default:default"}), claims(nil)),
			signature},
		"no signature": {byHand(`{"alg":"RS256","kid":"RS256"}`, claims(nil), nothing), signature},
	} {
		w.wantOIDC(name, oidcForm(w, "issuer", "cluster", test.token), test.code)
	}
	if w.Sessions() != 0 {
		t.Errorf("%d sessions", w.Sessions())
	}
	w.wantOIDC("a good token", oidcForm(w, "issuer", "cluster", issuer.token(nil)), "")
}

func TestARefusedTokenIsToldWhatThePagesSay(t *testing.T) {
	issuer := newTokenIssuer(t)
	w := start(t, withTokens(issuer, cassim.OIDCTrust{}))
	for token, want := range map[string]string{
		"":                          "The OIDCToken can not empty.",
		"a.b":                       "The number of Jwt field should be divided into 3 parts with '.' .",
		"!.!.!":                     "Cannot decode base64 encoded response(format invalided).",
		"YQ.YQ.YQ":                  "The Jwt content is invalid that cannot be recognized.",
		issuer.hs256WithPublicKey(): "The algorithm HS256 that be specified in Jwt header is unknown.",
		issuer.token(map[string]any{"aud": "foreign"}): "Invalid audience.",
		issuer.token(map[string]any{"exp": 1}):         "This JsonWebToken is expired.",
		tampered(issuer.token(nil), claims(map[string]any{"sub": "another"})): "OIDC token validate failed: " +
			"invalid signature.",
	} {
		if _, answer := w.postOIDC(oidcForm(w, "issuer", "cluster", token)); answer["Message"] != want {
			t.Errorf("told %v, want %q", answer["Message"], want)
		}
	}
}

func TestTokensGoByTheClockOfTheGateway(t *testing.T) {
	issuer := newTokenIssuer(t)
	w := start(t, withTokens(issuer, cassim.OIDCTrust{}))
	form := oidcForm(w, "issuer", "cluster", issuer.token(map[string]any{"exp": time.Now().Unix() + 60}))
	w.wantOIDC("now", form, "")
	w.SetSkew(2 * time.Minute)
	w.wantOIDC("later", form, "AuthenticationFail.OIDCToken.Expired")
	w.SetSkew(-2 * time.Minute)
	w.wantOIDC("before", form, "AuthenticationFail.OIDCToken.Invalid")
}

func TestARoleTrustsTheProviderOfATokenOnly(t *testing.T) {
	issuer := newTokenIssuer(t)
	opts := withTokens(issuer, cassim.OIDCTrust{})
	account := &opts.Accounts[0]
	second := account.OIDCProviders[0]
	second.Name = "second"
	broken := second
	broken.Name, broken.Keys = "broken", func(context.Context) ([]byte, error) { return nil, errors.New("no route") }
	account.OIDCProviders = append(account.OIDCProviders, second, broken)
	account.Roles = append(account.Roles, cassim.Role{Name: "users"})
	opts.Accounts = append(
		opts.Accounts, cassim.Account{
			ID: "2", Roles: []cassim.Role{{Name: "theirs", OIDC: []cassim.OIDCTrust{{Provider: "cluster"}}}}})
	w := start(t, opts)
	token := issuer.token(nil)
	const noPermission = "AuthenticationFail.NoPermission"
	w.wantOIDC("the provider", oidcForm(w, "issuer", "cluster", token), "")
	w.wantOIDC("another provider", oidcForm(w, "issuer", "second", token), noPermission)
	w.wantOIDC("no such provider", oidcForm(w, "issuer", "third", token), noPermission)
	w.wantOIDC("a provider without keys", oidcForm(w, "issuer", "broken", token),
		"AuthenticationFail.OIDCToken.HttpsUrlInvalid")
	w.wantOIDC("a role for users", oidcForm(w, "users", "cluster", token), noPermission)
	foreign := oidcForm(w, "issuer", "cluster", token)
	foreign.Set("RoleArn", "acs:ram::2:role/theirs")
	w.wantOIDC("a role of another account", foreign, noPermission)
	w.SetRole("issuer", func(r *cassim.Role) { r.OIDC[0].Issuer = "https://elsewhere" })
	w.wantOIDC("a condition that does not hold any more", oidcForm(w, "issuer", "cluster", token), noPermission)
}

func TestATokenNeedsNoSignatureAndMayHaveOne(t *testing.T) {
	issuer := newTokenIssuer(t)
	w := start(t, withTokens(issuer, cassim.OIDCTrust{}))
	req := sdksts.CreateAssumeRoleWithOIDCRequest()
	req.RoleArn, req.OIDCProviderArn, req.OIDCToken, req.RoleSessionName = w.RoleARN("issuer"),
		w.OIDCProviderARN("cluster"), issuer.token(nil), "a-test"
	if _, err := w.sts("nobody", "s", "").AssumeRoleWithOIDC(req); err != nil {
		t.Error(err)
	}
	form := oidcForm(w, "issuer", "cluster", issuer.token(nil))
	for _, missing := range []string{"RoleArn", "OIDCProviderArn", "RoleSessionName"} {
		without := maps.Clone(form)
		without.Del(missing)
		w.wantOIDC("without "+missing, without, "MissingParameter."+missing)
	}
	form.Set("DurationSeconds", "899")
	w.wantOIDC("too short", form, "InvalidParameter.DurationSeconds")
	_, answer := w.post(url.Values{"Version": {"2015-04-01"}, "Action": {"AssumeRole"}, "Format": {"JSON"},
		"Timestamp": {"x"}}, "")
	if code := answer["Code"]; code != "MissingParameter.SignatureMethod" {
		t.Errorf("another verb without a signature: %v", code)
	}
}
