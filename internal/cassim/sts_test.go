// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
	sdksts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

const accountID = "1000000000000001"

// sts is the client of STS for a key.
func (w *world) sts(id, secret, token string) *sdksts.Client {
	w.t.Helper()
	var provider credentials.CredentialsProvider = credentials.NewStaticAKCredentialsProvider(id, secret)
	if token != "" {
		provider = credentials.NewStaticSTSCredentialsProvider(id, secret, token)
	}
	client, err := sdksts.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithScheme("HTTP"), provider)
	if err != nil {
		w.t.Fatal(err)
	}
	client.Domain = strings.TrimPrefix(w.URL(), "http://")
	return client
}

func (w *world) defaultSTS() *sdksts.Client {
	return w.sts(cassim.DefaultKeyID, cassim.DefaultKeySecret, "")
}

func (w *world) stsOf(session sdksts.Credentials) *sdksts.Client {
	return w.sts(session.AccessKeyId, session.AccessKeySecret, session.SecurityToken)
}

func assumeRequest(arn string) *sdksts.AssumeRoleRequest {
	req := sdksts.CreateAssumeRoleRequest()
	req.RoleArn, req.RoleSessionName = arn, "a-test"
	return req
}

// assume begins a session that has to be granted.
func (w *world) assume(client *sdksts.Client, arn string) *sdksts.AssumeRoleResponse {
	w.t.Helper()
	resp, err := client.AssumeRole(assumeRequest(arn))
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

// Calls CAS with the keys of a session.
func (w *world) ask(session sdksts.Credentials) error {
	client, _ := w.clients(session.AccessKeyId, session.AccessKeySecret, session.SecurityToken)
	_, err := client.DescribePackageState(sdkcas.CreateDescribePackageStateRequest())
	return err
}

// withRoles is the default account with roles.
func withRoles(roles ...cassim.Role) cassim.Options {
	account := cassim.DefaultAccount()
	account.Roles = roles
	return cassim.Options{Accounts: []cassim.Account{account}}
}

func TestSTSTellsWhoCalls(t *testing.T) {
	opts := withRoles(cassim.Role{Name: "Issuer"})
	opts.Accounts[0].Keys = append(opts.Accounts[0].Keys,
		cassim.Key{ID: "of-alice", Secret: "s", User: "alice", Denied: []string{"GetCallerIdentity"}},
		cassim.Key{ID: "root", Secret: "s", Root: true})
	w := start(t, opts)
	session := w.assume(w.defaultSTS(), w.RoleARN("Issuer"))
	tests := map[string]struct {
		client            *sdksts.Client
		identityType, arn string
	}{
		"a user without a name": {w.defaultSTS(), "RAMUser", "acs:ram::" + accountID + ":user/" +
			cassim.DefaultKeyID},
		"a user, denied what needs none": {w.sts("of-alice", "s", ""), "RAMUser", "acs:ram::" + accountID +
			":user/alice"},
		"the account": {w.sts("root", "s", ""), "Account", "acs:ram::" + accountID + ":root"},
		"a session": {w.stsOf(session.Credentials), "AssumedRoleUser", "acs:ram::" + accountID +
			":assumed-role/Issuer/a-test"},
	}
	ids := map[string]bool{}
	for name, test := range tests {
		told, err := test.client.GetCallerIdentity(sdksts.CreateGetCallerIdentityRequest())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if told.IdentityType != test.identityType || told.Arn != test.arn || told.AccountId != accountID {
			t.Errorf("%s: told %+v", name, told)
		}
		if isRole := test.identityType == "AssumedRoleUser"; (told.RoleId != "") != isRole ||
			(told.UserId == "") != isRole {
			t.Errorf("%s: told %+v", name, told)
		}
		if told.PrincipalId == "" || ids[told.PrincipalId] {
			t.Errorf("%s: the principal is %q", name, told.PrincipalId)
		}
		ids[told.PrincipalId] = true
	}
	if user := session.AssumedRoleUser; user.Arn != tests["a session"].arn || !ids[user.AssumedRoleId] {
		t.Errorf("the session is of %+v", user)
	}
	w.SetKeyDisabled("of-alice", true)
	_, err := w.sts("of-alice", "s", "").GetCallerIdentity(sdksts.CreateGetCallerIdentityRequest())
	wantCode(t, err, 400, "InvalidAccessKeyId.Inactive")
}

func TestARoleIsAssumedByThoseItTrusts(t *testing.T) {
	const other = "2000000000000002"
	opts := withRoles(
		cassim.Role{Name: "own"},
		cassim.Role{Name: "theirs", Trusted: []string{"acs:ram::" + other + ":root"}},
		cassim.Role{Name: "alices", Trusted: []string{"acs:ram::" + accountID + ":user/alice"}},
		cassim.Role{Name: "bridge", Trusted: []string{"acs:ram::" + accountID + ":role/own"}},
		cassim.Role{Name: "external", ExternalID: "secret-handshake"},
	)
	opts.Accounts[0].Keys = append(opts.Accounts[0].Keys,
		cassim.Key{ID: "alice", Secret: "s"}, cassim.Key{ID: "root", Secret: "s", Root: true},
		cassim.Key{ID: "denied", Secret: "s", Denied: []string{"AssumeRole"}})
	opts.Accounts = append(opts.Accounts, cassim.Account{ID: other, Keys: []cassim.Key{{ID: "bob", Secret: "s"}}})
	w := start(t, opts)
	alice, bob := w.sts("alice", "s", ""), w.sts("bob", "s", "")
	own := w.stsOf(w.assume(alice, w.RoleARN("own")).Credentials)
	external := func(id string) func(*sdksts.AssumeRoleRequest) {
		return func(r *sdksts.AssumeRoleRequest) { r.ExternalId = id }
	}
	tests := map[string]struct {
		client *sdksts.Client
		role   string
		modify func(*sdksts.AssumeRoleRequest)
		status int
		code   string
	}{
		"a user of the own account":      {alice, w.RoleARN("own"), nil, 200, ""},
		"a user of another account":      {bob, w.RoleARN("own"), nil, 403, "NoPermission"},
		"a user of a trusted account":    {bob, w.RoleARN("theirs"), nil, 200, ""},
		"the own account is not trusted": {alice, w.RoleARN("theirs"), nil, 403, "NoPermission"},
		"the trusted user":               {alice, w.RoleARN("alices"), nil, 200, ""},
		"another user":                   {w.defaultSTS(), w.RoleARN("alices"), nil, 403, "NoPermission"},
		"a session of the trusted role":  {own, w.RoleARN("bridge"), nil, 200, ""},
		"a session of another role":      {own, w.RoleARN("alices"), nil, 403, "NoPermission"},
		"a user where a role is trusted": {alice, w.RoleARN("bridge"), nil, 403, "NoPermission"},
		"no external id":                 {alice, w.RoleARN("external"), nil, 403, "NoPermission"},
		"a wrong external id":            {alice, w.RoleARN("external"), external("guess"), 403, "NoPermission"},
		"the external id":                {alice, w.RoleARN("external"), external("secret-handshake"), 200, ""},
		"an external id nobody asks for": {alice, w.RoleARN("own"), external("guess"), 200, ""},
		"without the permission":         {w.sts("denied", "s", ""), w.RoleARN("own"), nil, 403, "NoPermission"},
		"the account itself":             {w.sts("root", "s", ""), w.RoleARN("own"), nil, 403, "NoPermission"},
		"no such role":                   {alice, w.RoleARN("own") + "s", nil, 404, "EntityNotExist.Role"},
		"no such account":                {alice, "acs:ram::7:role/own", nil, 404, "EntityNotExist.Role"},
		"no ARN":                         {alice, "own", nil, 404, "EntityNotExist.Role"},
		"the role in another letter case": {alice, strings.Replace(w.RoleARN("own"), "own", "Own", 1), nil, 404,
			"EntityNotExist.Role"},
	}
	for name, test := range tests {
		req := assumeRequest(test.role)
		if test.modify != nil {
			test.modify(req)
		}
		_, err := test.client.AssumeRole(req)
		if codeOf(err) != test.code {
			t.Errorf("%s: %v, want %q", name, err, test.code)
		}
		if refused, ok := errors.AsType[*sdkerrors.ServerError](err); ok && refused.HttpStatus() != test.status {
			t.Errorf("%s: HTTP %d, want %d", name, refused.HttpStatus(), test.status)
		}
	}
}

func TestASessionHasALengthAndAName(t *testing.T) {
	gateway := clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second))
	opts := withRoles(cassim.Role{Name: "usual"}, cassim.Role{Name: "long", MaxSession: 12 * time.Hour},
		cassim.Role{Name: "short", MaxSession: 30 * time.Minute})
	opts.GatewayClock = gateway
	w := start(t, opts)
	const malformed, outside = "InvalidParameter.RoleSessionName", "InvalidParameter.DurationSeconds"
	tests := map[string]struct {
		role, name, seconds string
		lasts               time.Duration
		code                string
	}{
		"the default":                     {"usual", "name", "", time.Hour, ""},
		"the default of a role with more": {"long", "name", "", time.Hour, ""},
		"the default of a role with less": {"short", "name", "", 30 * time.Minute, ""},
		"the least":                       {"usual", "name", "900", 15 * time.Minute, ""},
		"less":                            {"usual", "name", "899", 0, outside},
		"the most":                        {"usual", "name", "3600", time.Hour, ""},
		"more":                            {"usual", "name", "3601", 0, outside},
		"the most of a long role":         {"long", "name", "43200", 12 * time.Hour, ""},
		"no number":                       {"usual", "name", "an hour", 0, outside},
		"a name with all characters":      {"usual", "aZ09.@-_", "", time.Hour, ""},
		"the shortest name":               {"usual", "ab", "", time.Hour, ""},
		"a shorter name":                  {"usual", "a", "", 0, malformed},
		"the longest name":                {"usual", strings.Repeat("a", 64), "", time.Hour, ""},
		"a longer name":                   {"usual", strings.Repeat("a", 65), "", 0, malformed},
		"a name with a slash":             {"usual", "a/b", "", 0, malformed},
	}
	for name, test := range tests {
		req := assumeRequest(w.RoleARN(test.role))
		req.RoleSessionName, req.DurationSeconds = test.name, requests.Integer(test.seconds)
		resp, err := w.defaultSTS().AssumeRole(req)
		if codeOf(err) != test.code {
			t.Errorf("%s: %v, want %q", name, err, test.code)
		}
		if want := gateway.Now().Add(test.lasts).UTC().Format("2006-01-02T15:04:05Z"); err == nil &&
			resp.Credentials.Expiration != want {
			t.Errorf("%s: it ends at %s, want %s", name, resp.Credentials.Expiration, want)
		}
	}
}

func TestASessionActsForItsRole(t *testing.T) {
	w := start(t, withRoles(cassim.Role{Name: "issuer", Denied: []string{"CreateCertificateWithCsrRequest"}}))
	session := w.assume(w.defaultSTS(), w.RoleARN("issuer")).Credentials
	if !strings.HasPrefix(session.AccessKeyId, "STS.") {
		t.Errorf("the id is %s", session.AccessKeyId)
	}
	w.cas, w.dns = w.clients(session.AccessKeyId, session.AccessKeySecret, session.SecurityToken)
	_, err := w.cas.CreateCertificateWithCsrRequest(w.application("example.com"))
	wantDenied(t, err, "yundun-cert:CreateCertificateWithCsrRequest")
	w.SetRole("issuer", func(r *cassim.Role) { r.Denied = nil })
	w.order("example.com")
	if entry := w.Ledger()[0]; entry.AccountID != accountID {
		t.Errorf("billed to %s", entry.AccountID)
	}
	w.DenyAction(session.AccessKeyId, "DescribePackageState")
	wantDenied(t, w.ask(session), "yundun-cert:DescribePackageState")
	bare := session
	bare.SecurityToken = ""
	wantCode(t, w.ask(bare), 400, "MissingSecurityToken")
}

func TestSessionsEnd(t *testing.T) {
	gateway := clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second))
	opts := withRoles(cassim.Role{Name: "one"}, cassim.Role{Name: "two"})
	opts.GatewayClock = gateway
	w := start(t, opts)
	begin := func(role string) sdksts.Credentials { return w.assume(w.defaultSTS(), w.RoleARN(role)).Credentials }
	want := func(count int, codes map[string]error) {
		t.Helper()
		for code, err := range codes {
			if codeOf(err) != code {
				t.Errorf("got %v, want %q", err, code)
			}
		}
		if w.Sessions() != count {
			t.Errorf("%d sessions, want %d", w.Sessions(), count)
		}
	}
	const expired, revoked = "InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed"
	one, two := begin("one"), begin("two")
	want(2, map[string]error{"": w.ask(one)})

	w.RevokeSessions("one")
	want(1, map[string]error{revoked: w.ask(one), "": w.ask(two)})
	later := begin("one")
	want(2, map[string]error{"": w.ask(later)})

	w.ExpireSessions()
	want(0, map[string]error{expired: w.ask(later), revoked: w.ask(one)})

	third := begin("two")
	w.RemoveRole("two")
	want(0, map[string]error{revoked: w.ask(third)})
	_, err := w.defaultSTS().AssumeRole(assumeRequest("acs:ram::" + accountID + ":role/two"))
	wantCode(t, err, 404, "EntityNotExist.Role")

	fourth := begin("one")
	gateway.SetTime(gateway.Now().Add(time.Hour - time.Second))
	w.SetSkew(time.Second - time.Nanosecond)
	want(1, nil)
	gateway.SetTime(gateway.Now().Add(time.Nanosecond))
	want(0, nil)
	w.SetSkew(0)
	gateway.SetTime(time.Now()) // by which the SDK signs
	want(1, map[string]error{"": w.ask(fourth)})
}

func TestRequestsToSTSAreRememberedWithoutSecrets(t *testing.T) {
	w := start(t, withRoles(cassim.Role{Name: "issuer"}))
	session := w.assume(w.defaultSTS(), w.RoleARN("issuer")).Credentials
	if _, err := w.stsOf(session).GetCallerIdentity(sdksts.CreateGetCallerIdentityRequest()); err != nil {
		t.Fatal(err)
	}
	token := strings.Repeat("secret", 10)
	w.postOIDC(oidcForm(w, "issuer", "nobody", token))
	if calls := w.Calls(); calls["AssumeRole"] != 1 || calls["GetCallerIdentity"] != 1 ||
		calls["AssumeRoleWithOIDC"] != 1 {
		t.Errorf("calls: %v", calls)
	}
	secrets := []string{session.AccessKeySecret, session.SecurityToken, token}
	for _, r := range w.Requests() {
		for name, value := range r.Params {
			if slices.Contains(secrets, value) {
				t.Errorf("%s is remembered", name)
			}
		}
		if "http://"+r.Host != w.URL() {
			t.Errorf("sent to %q", r.Host)
		}
	}
}

func TestAFaultBefallsSTS(t *testing.T) {
	w := start(t, withRoles(cassim.Role{Name: "issuer"}))
	w.Inject(cassim.Fault{Action: "AssumeRole", Kind: cassim.Throttle})
	w.Inject(cassim.Fault{Action: "AssumeRoleWithOIDC", Kind: cassim.Refuse, Status: 500, Code: "InternalError"})
	_, err := w.defaultSTS().AssumeRole(assumeRequest(w.RoleARN("issuer")))
	wantCode(t, err, 400, "Throttling.User")
	if status, answer := w.postOIDC(oidcForm(w, "issuer", "nobody", "token")); status != 500 ||
		answer["Code"] != "InternalError" {
		t.Errorf("HTTP %d, %v", status, answer)
	}
	if w.Sessions() != 0 {
		t.Errorf("%d sessions", w.Sessions())
	}
}

func TestAssumeRoleHasARate(t *testing.T) {
	opts := withRoles(cassim.Role{Name: "issuer"})
	opts.Knobs.Throttling = cassim.On
	w := start(t, opts)
	throttled := 0
	for i := range 300 {
		values := signed(
			map[string]string{"Action": "AssumeRole", "RoleArn": w.RoleARN("issuer"), "RoleSessionName": "n" +
				strconv.Itoa(i)},
			map[string]string{"Version": "2015-04-01", "RegionId": "-"})
		if status, answer := w.post(values, ""); status != 200 {
			if throttled++; answer["Code"] != "Throttling.User" {
				t.Fatalf("HTTP %d, %v", status, answer)
			}
		}
	}
	if throttled == 0 || throttled > 200 {
		t.Errorf("%d of 300 throttled", throttled)
	}
}
