// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package sts_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

func TestKeysBecomeThoseOfARole(t *testing.T) {
	w := start(t, nil, cassim.Role{Name: "issuer", ExternalID: testExternalID},
		cassim.Role{Name: "bridge", Trusted: []string{"acs:ram::" + accountID + ":role/issuer"}})
	role := w.role("issuer")
	role.SessionName, role.ExternalID, role.Duration = "of-a.test@here", testExternalID, 20*time.Minute
	before := time.Now().Truncate(time.Second)
	session := w.assume(defaultKeys, role)
	if first, last := before.Add(role.Duration), time.Now().Add(role.Duration); session.Expires.Before(first) ||
		session.Expires.After(last) {
		t.Errorf("the session ends at %s, want %s to %s", session.Expires, first, last)
	}
	w.wantIs(session, "acs:ram::"+accountID+":assumed-role/issuer/of-a.test@here")

	chained := w.assume(session.Keys, w.role("bridge"))
	w.wantIs(chained, "acs:ram::"+accountID+":assumed-role/bridge/a-test")
	wantHides(t, chained, chained.Keys.AccessKeyID, chained.Keys.AccessKeySecret, chained.Keys.SecurityToken)
}

func TestATokenBecomesTheKeysOfARole(t *testing.T) {
	c := newCluster(t)
	w := start(t, withCluster(c),
		cassim.Role{Name: "issuer",
			OIDC: []cassim.OIDCTrust{{Provider: "cluster", Subject: subject, Audience: audience}}})
	role := w.role("issuer")
	role.SessionName, role.Duration = "by-token", 15*time.Minute
	before := time.Now().Truncate(time.Second)
	session, err := w.client.AssumeRoleWithOIDC(t.Context(), w.OIDCProviderARN("cluster"), c.token(nil), role)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := before.Add(role.Duration), time.Now().Add(role.Duration); session.Expires.Before(first) ||
		session.Expires.After(last) {
		t.Errorf("the session ends at %s, want %s to %s", session.Expires, first, last)
	}
	w.wantIs(session, "acs:ram::"+accountID+":assumed-role/issuer/by-token")
	for _, request := range w.Requests() {
		if _, signed := request.Params["AccessKeyId"]; request.Action == "AssumeRoleWithOIDC" && signed {
			t.Error("the exchange of a token is signed")
		}
	}
}

func TestWhatSTSRefusesHasAKind(t *testing.T) {
	c := newCluster(t)
	w := start(t, withCluster(c),
		cassim.Role{Name: "issuer", OIDC: []cassim.OIDCTrust{{Provider: "cluster", Subject: subject}}},
		cassim.Role{Name: "external", ExternalID: testExternalID})
	assume := func(keys rpc.Credentials, change func(*sts.Role), name string) func(context.Context) error {
		return func(ctx context.Context) error {
			role := w.role(name)
			if change != nil {
				change(&role)
			}
			_, err := w.client.AssumeRole(ctx, keys, role)
			return err
		}
	}
	exchange := func(provider, token string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.client.AssumeRoleWithOIDC(ctx, "acs:ram::"+accountID+":oidc-provider/"+provider, token,
				w.role("issuer"))
			return err
		}
	}
	wrongSecret, ended := defaultKeys, w.assume(defaultKeys, w.role("issuer")).Keys
	wrongSecret.AccessKeySecret = "wrong"
	w.ExpireSessions()
	for name, test := range map[string]struct {
		call   func(context.Context) error
		kind   rpc.Kind
		code   string
		denied string
	}{
		"no external id": {assume(defaultKeys, nil, "external"), rpc.KindPermission, "NoPermission",
			"sts:AssumeRole"},
		"a wrong external id": {assume(defaultKeys, func(r *sts.Role) { r.ExternalID = "guess" }, "external"),
			rpc.KindPermission, "NoPermission", "sts:AssumeRole"},
		"no such role": {assume(defaultKeys, func(r *sts.Role) { r.ARN += "s" }, "issuer"), rpc.KindNotFound,
			"EntityNotExist.Role", ""},
		"too long": {assume(defaultKeys, func(r *sts.Role) { r.Duration = 2 * time.Hour }, "issuer"),
			rpc.KindInvalid, "InvalidParameter.DurationSeconds", ""},
		"an ill name": {assume(defaultKeys, func(r *sts.Role) { r.SessionName = "a/b" }, "issuer"),
			rpc.KindInvalid, "InvalidParameter.RoleSessionName", ""},
		"a wrong secret": {assume(wrongSecret, nil, "issuer"), rpc.KindCredentialsInvalid,
			"SignatureDoesNotMatch", ""},
		"keys that have ended": {assume(ended, nil, "issuer"), rpc.KindCredentialsExpired,
			"InvalidSecurityToken.Expired", ""},
		"a foreign token": {exchange("cluster", newCluster(t).token(nil)), rpc.KindCredentialsInvalid,
			"AuthenticationFail.OIDCToken.InvalidSignature", ""},
		"another audience": {exchange("cluster", c.token(map[string]any{"aud": "foreign"})),
			rpc.KindCredentialsInvalid, "AuthenticationFail.OIDCToken.AudienceNotMatch", ""},
		"a token that ended": {exchange("cluster", c.token(map[string]any{"exp": 1})), rpc.KindCredentialsExpired,
			"AuthenticationFail.OIDCToken.Expired", ""},
		"another subject": {exchange("cluster", c.token(map[string]any{"sub": subject + "s"})), rpc.KindPermission,
			"AuthenticationFail.NoPermission", "sts:AssumeRoleWithOIDC"},
		"no such provider": {exchange("nowhere", c.token(nil)), rpc.KindPermission, "AuthenticationFail.NoPermission",
			"sts:AssumeRoleWithOIDC"},
	} {
		e, ok := errors.AsType[*rpc.Error](test.call(t.Context()))
		if !ok || e.Kind != test.kind || e.Code != test.code || e.DeniedAction != test.denied {
			t.Errorf("%s: got %#v, want %s %s %s", name, e, test.kind, test.code, test.denied)
		}
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	w := start(t, nil, cassim.Role{Name: "issuer"})
	w.Inject(cassim.Fault{Kind: cassim.Hang, Times: -1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, verb := range verbs {
		if _, err := verb.call(ctx, w.client); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", verb.action, err)
		}
	}
}
