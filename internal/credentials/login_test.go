// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
	"github.com/aliyun-issuer/aliyun-issuer/internal/sts"
)

// asProblem fails unless err is a Problem that tells no secret.
func asProblem(t *testing.T, err error) credentials.Problem {
	t.Helper()
	wantSafe(t, err)
	problem, ok := errors.AsType[*credentials.Problem](err)
	if !ok {
		t.Fatalf("got %v, want a Problem", err)
	}
	for _, secret := range []string{externalID, "eyJ", "STS."} {
		if strings.Contains(problem.Message, secret) {
			t.Errorf("%q is in %s", secret, problem.Message)
		}
	}
	return *problem
}

func TestEveryKindOfCredentialsSignsIn(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	w.ownToken()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", cassim.DefaultKeyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", cassim.DefaultKeySecret)
	named := w.oidc("issuer")
	named.OIDC.Session = v1alpha1.Session{SessionName: "named", DurationSeconds: new(int32(900))}
	for name, test := range map[string]struct {
		from v1alpha1.Credentials
		arn  string
	}{
		"an AccessKey":                {permanent(), "user/alice"},
		"a token of a ServiceAccount": {w.oidc("issuer"), "assumed-role/issuer/aliyun-issuer"},
		"a token of the Pod":          {w.oidc(""), "assumed-role/issuer/aliyun-issuer"},
		"a session with a name":       {named, "assumed-role/issuer/named"},
		"the surroundings": {v1alpha1.Credentials{Ambient: &v1alpha1.AmbientCredentials{}},
			"user/" + cassim.DefaultKeyID},
		"nothing":                         {v1alpha1.Credentials{}, "user/" + cassim.DefaultKeyID},
		"a role for an AccessKey":         {w.assuming(permanent()), "assumed-role/remote/aliyun-issuer"},
		"a role for a token":              {w.assuming(w.oidc("issuer")), "assumed-role/remote/aliyun-issuer"},
		"a role for a token of the Pod":   {w.assuming(w.oidc("")), "assumed-role/remote/aliyun-issuer"},
		"a role for the surroundings":     {w.assuming(v1alpha1.Credentials{}), "assumed-role/remote/aliyun-issuer"},
		"a session that is of the Secret": {temporary(), ""},
	} {
		login := w.login(test.from)
		if test.arn == "" {
			session, err := sts.New(sts.Config{Endpoint: login.STS, Rate: fast}).AssumeRole(t.Context(),
				rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret},
				sts.Role{ARN: w.RoleARN("issuer"), SessionName: "of-a-secret", Duration: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			w.put(t, secretOf("other", "aliyun", "accessKeyID", session.Keys.AccessKeyID, "accessKeySecret",
				session.Keys.AccessKeySecret, "securityToken", session.Keys.SecurityToken))
			login.Namespace, test.arn = "other", "assumed-role/issuer/of-a-secret"
		}
		provider := w.Provider(login)
		for range 2 {
			if arn, err := w.call(provider); err != nil || arn != test.arn {
				t.Errorf("%s: called as %q, %v, want %q", name, arn, err, test.arn)
			}
		}
		if keys, err := provider.Credentials(t.Context()); err != nil || keys.Account != accountID {
			t.Errorf("%s: the account is %q, %v", name, keys.Account, err)
		}
		want := sts.Identity{Account: accountID, ARN: "acs:ram::" + accountID + ":" + test.arn}
		if told, err := w.Identity(t.Context(), login); err != nil || told != want {
			t.Errorf("%s: it is %+v, %v", name, told, err)
		}
	}
}

func TestASessionLastsAsLongAsItIsToldTo(t *testing.T) {
	w := newWorld(t)
	for _, wanted := range []*int32{nil, new(int32(900)), new(int32(3600))} {
		from := w.oidc("issuer")
		from.OIDC.DurationSeconds = wanted
		if _, err := w.Provider(w.login(from)).Credentials(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := "3600"
		if wanted != nil && *wanted == 900 {
			want = "900"
		}
		requests := slices.DeleteFunc(w.Requests(), func(r cassim.Request) bool { return r.Action == asking })
		if got := requests[len(requests)-1].Params["DurationSeconds"]; got != want {
			t.Errorf("asked for %s seconds, want %s", got, want)
		}
	}
}

func TestTheOwnIdentityIsForThoseWhoMayUseIt(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	w.ownToken()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", cassim.DefaultKeyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", cassim.DefaultKeySecret)
	for name, test := range map[string]struct {
		from  v1alpha1.Credentials
		isOwn bool
	}{
		"an AccessKey":                {permanent(), false},
		"a token of a ServiceAccount": {w.oidc("issuer"), false},
		"a token of the Pod":          {w.oidc(""), true},
		"the role of the instance":    {v1alpha1.Credentials{ECSRAMRole: &v1alpha1.ECSRAMRoleCredentials{}}, true},
		"the surroundings":            {v1alpha1.Credentials{Ambient: &v1alpha1.AmbientCredentials{}}, true},
		"nothing":                     {v1alpha1.Credentials{}, true},
	} {
		for _, from := range []v1alpha1.Credentials{test.from, w.assuming(test.from)} {
			if credentials.UsesOwn(from) != test.isOwn {
				t.Errorf("%s: UsesOwn is %t", name, !test.isOwn)
			}
			// An issuer that may use the identity has signed in before, and has left its session.
			allowed := w.login(from)
			if test.from.ECSRAMRole == nil {
				if _, err := w.Provider(allowed).Credentials(t.Context()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			login := allowed
			login.MayUseOwn = false
			for _, provider := range []rpc.CredentialsProvider{
				w.Provider(login), credentials.Last{Store: w.Store}.Provider(login)} {
				keys, err := provider.Credentials(t.Context())
				if !test.isOwn {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				} else if problem := asProblem(t, err); problem.Reason != "CredentialsNotAllowed" ||
					keys != (rpc.Credentials{}) {
					t.Errorf("%s: got %+v", name, problem)
				}
			}
		}
	}
}

func TestSessionsAreSharedByEqualLoginsOnly(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.wantCall(w.Provider(w.login(w.oidc("issuer"))), "assumed-role/issuer/aliyun-issuer")
	}
	w.wantCalls("AssumeRoleWithOIDC", 1)

	stranger := w.login(w.oidc("issuer"))
	stranger.Namespace = "stranger"
	if problem := problemOf(t, w.Provider(stranger)); problem.Reason != "RoleRefused" {
		t.Errorf("a stranger with the same words: %+v", problem)
	}
	another := w.login(w.oidc("issuer"))
	another.Credentials.OIDC.ServiceAccountRef.Audience = "another"
	if problem := problemOf(t, w.Provider(another)); problem.Reason != "RoleRefused" {
		t.Errorf("another audience: %+v", problem)
	}
	elsewhere := w.login(w.oidc("issuer"))
	elsewhere.STS.URL = "http://127.0.0.1:1"
	if _, err := w.Provider(elsewhere).Credentials(t.Context()); rpc.KindOf(err) != rpc.KindNetwork {
		t.Errorf("another STS: %v", err)
	}
}

func TestARotatedAccessKeyAssumesTheRoleAnew(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	provider := w.Provider(w.login(w.assuming(permanent())))
	w.wantCall(provider, "assumed-role/remote/aliyun-issuer")
	w.wantCall(provider, "assumed-role/remote/aliyun-issuer")
	w.wantCalls("AssumeRole", 1)
	w.put(t, secretOf("team", "aliyun", "accessKeyID", "rotated-id", "accessKeySecret", "rotated-secret"))
	w.SetKeyDisabled(keyID, true)
	w.wantCall(provider, "assumed-role/remote/aliyun-issuer")
	w.wantCalls("AssumeRole", 2)
	w.put(t, secretOf("team", "aliyun", "accessKeyID", "rotated-id", "accessKeySecret", "wrong"))
	if problem := problemOf(t, provider); problem.Reason != "CredentialsRefused" {
		t.Errorf("a wrong key: %+v", problem)
	}
}

func TestARoleOfADeletedSecretGivesOrdersBackAndBuysNothing(t *testing.T) {
	s := secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret)
	w := newWorld(t, s)
	login := w.login(w.assuming(permanent()))
	hold(w.Store, "order", "team", permanent())
	buy, giveBack := w.Provider(login), credentials.Last{Store: w.Store}.Provider(login)
	w.wantCall(buy, "assumed-role/remote/aliyun-issuer")
	w.remove(t, s)
	if problem := problemOf(t, buy); problem.Reason != "SecretNotFound" {
		t.Errorf("got %+v", problem)
	}
	w.wantCall(giveBack, "assumed-role/remote/aliyun-issuer")
	w.pass(time.Hour) // its session has ended, and is renewed
	w.wantCall(giveBack, "assumed-role/remote/aliyun-issuer")
	w.wantCalls("AssumeRole", 2)
}

func TestASessionThatTheServiceRefusesIsRenewedByTheNextCall(t *testing.T) {
	w := newWorld(t)
	provider := w.Provider(w.login(w.oidc("issuer")))
	w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
	w.pass(10 * time.Second)
	w.RevokeSessions("issuer")
	if _, err := w.call(provider); rpc.KindOf(err) != rpc.KindCredentialsExpired {
		t.Errorf("got %v", err)
	}
	w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
	w.wantCalls("AssumeRoleWithOIDC", 2)

	w.pass(10 * time.Second)
	w.RevokeSessions("issuer")
	if _, err := w.Identity(t.Context(), w.login(w.oidc("issuer"))); rpc.KindOf(err) != rpc.KindCredentialsExpired {
		t.Errorf("got %v", err)
	}
	w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
}

func TestASessionThatMayNotAssumeTheRoleAnyMoreIsRenewedToo(t *testing.T) {
	w := newWorld(t)
	provider := w.Provider(w.login(w.assuming(w.oidc("issuer"))))
	w.wantCall(provider, "assumed-role/remote/aliyun-issuer")
	w.pass(10 * time.Second)
	w.ExpireSessions()
	if _, err := w.call(provider); rpc.KindOf(err) != rpc.KindCredentialsExpired {
		t.Errorf("the session of the role: %v", err)
	}
	if problem := problemOf(t, provider); problem.Reason != "CredentialsRefused" {
		t.Errorf("the session that is to assume it: %+v", problem)
	}
	w.wantCall(provider, "assumed-role/remote/aliyun-issuer")
	w.wantCalls("AssumeRoleWithOIDC", 2)
}

func TestARoleThatIsRefusedSaysWhatToDo(t *testing.T) {
	const advice = "let its trust policy name whoever assumes it, with the same externalID, and grant " +
		"sts:AssumeRole to them"
	const remote, issuer = "acs:ram::" + accountID + ":role/remote", "acs:ram::" + accountID + ":role/issuer"
	const oidcAdvice = "its trust policy must name the provider acs:ram::" + accountID + ":oidc-provider/cluster, " +
		"the provider must be that of this cluster, and what they ask of oidc:aud and oidc:sub must fit "
	const who = `the audience "sts.aliyuncs.com" and the subject system:serviceaccount:team:issuer`
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	w.ownToken()
	for name, test := range map[string]struct {
		prepare func(*credentials.Login)
		own     bool
		fault   cassim.Fault
		skew    time.Duration
		onOIDC  bool
		want    credentials.Problem
	}{
		"a wrong external id": {prepare: func(l *credentials.Login) { l.Credentials.AssumeRole.ExternalID = "guess" },
			want: credentials.Problem{
				Reason: "RoleRefused", Message: "the role " + remote + " cannot be assumed (AssumeRole: " +
					"NoPermission (HTTP 403): You are not authorized to do this action. You should be " +
					"authorized by RAM): " + advice}},
		"no such role": {prepare: func(l *credentials.Login) { l.Credentials.AssumeRole.RoleARN += "s" },
			want: credentials.Problem{
				Reason: "RoleRefused", Message: "the role " + remote + "s cannot be assumed (AssumeRole: " +
					"EntityNotExist.Role (HTTP 404): The specified Role not exists): create it, or correct roleARN"}},
		"too long": {prepare: func(l *credentials.Login) {
			l.Credentials.AssumeRole.DurationSeconds = new(int32(43200))
		}, want: credentials.Problem{
			Reason: "RoleRefused", Message: "the role " + remote + " cannot be assumed (AssumeRole: " +
				"InvalidParameter.DurationSeconds (HTTP 400): The Min/Max value of DurationSeconds is 15min/1h0m0s): " +
				advice}},
		"a refusal nobody knows": {fault: cassim.Fault{Kind: cassim.Refuse, Code: "NeverHeardOf", Message: "no"},
			want: credentials.Problem{
				Reason: "RoleRefused", Message: "the role " + remote +
					" cannot be assumed (AssumeRole: NeverHeardOf (HTTP 400): no): " + advice}},
		"a key that is disabled": {
			fault: cassim.Fault{Kind: cassim.Refuse, Code: "InvalidAccessKeyId.Inactive", Message: "no " + keyID},
			want: credentials.Problem{
				Reason: "CredentialsRefused", Message: "the credentials that are to assume the role " + remote +
					" are refused (AssumeRole: InvalidAccessKeyId.Inactive (HTTP 400): no [redacted]): put valid " +
					"ones in their place"}},
		"a wrong clock": {skew: time.Hour, want: credentials.Problem{
			Reason: "ClockSkew", Message: "STS does not accept the time (AssumeRole: InvalidTimeStamp.Expired (HTTP " +
				"400): Specified time stamp or date value is expired): set the clock of the controller's node; up " +
				"to 15 minutes are tolerated"}},
		"a redirect": {fault: cassim.Fault{Kind: cassim.Redirect307}, want: credentials.Problem{
			Reason: "EndpointInvalid", Message: "STS cannot be called (AssumeRole: HTTP 307: redirected, which is " +
				"never followed): correct stsEndpoint"}},
		"another subject": {onOIDC: true, prepare: func(*credentials.Login) {
			w.SetRole("issuer", func(r *cassim.Role) {
				r.OIDC = []cassim.OIDCTrust{{Provider: "cluster", Subject: "another"}}
			})
		}, want: credentials.Problem{
			Reason: "RoleRefused", Message: "the role " + issuer + " cannot be assumed (AssumeRoleWithOIDC: " +
				"AuthenticationFail.NoPermission (HTTP 401): There is no permission): " + oidcAdvice + who}},
		"another audience": {onOIDC: true, prepare: func(l *credentials.Login) {
			l.Credentials.OIDC.ServiceAccountRef.Audience = "foreign"
		}, want: credentials.Problem{
			Reason: "RoleRefused", Message: "the role " + issuer + " cannot be assumed (AssumeRoleWithOIDC: " +
				"AuthenticationFail.OIDCToken.AudienceNotMatch (HTTP 401): Invalid audience): " +
				oidcAdvice + strings.Replace(who, audience, "foreign", 1)}},
		"an old token of the Pod": {
			onOIDC: true, own: true,
			fault: cassim.Fault{Kind: cassim.Refuse, Status: 401, Code: "AuthenticationFail.OIDCToken.Expired",
				Message: "This JsonWebToken is expired."}, want: credentials.Problem{
				Reason: "RoleRefused", Message: "the role " + issuer + " cannot be assumed (AssumeRoleWithOIDC: " +
					"AuthenticationFail.OIDCToken.Expired (HTTP 401): This JsonWebToken is expired): " +
					"by the cluster's clock this token is good: set the clocks of its nodes, and if it is the " +
					"controller's own, see that the kubelet renews it"}},
	} {
		login := w.login(w.assuming(permanent()))
		if test.onOIDC {
			login = w.login(w.oidc("issuer"))
		}
		if test.own {
			login = w.login(w.oidc(""))
		}
		if test.prepare != nil {
			test.prepare(&login)
		}
		if test.fault.Kind != "" {
			w.Inject(test.fault)
		}
		w.SetSkew(test.skew)
		store := w.store() // without sessions of others
		store.STSRate = fast
		if problem := problemOf(t, store.Provider(login)); problem != test.want {
			t.Errorf("%s:\ngot  %s: %s\nwant %s: %s", name, problem.Reason, problem.Message, test.want.Reason,
				test.want.Message)
		}
		w.SetSkew(0)
	}
}

func TestWhatMayPassAtSTSIsNoProblem(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	for _, fault := range []cassim.Fault{
		{Kind: cassim.Throttle}, {Kind: cassim.DropReply}, {Kind: cassim.HTML200}, {Kind: cassim.EmptyBody},
		{Kind: cassim.EmptyObject},
		{Kind: cassim.NoOrderID}, {Kind: cassim.Truncated, Executed: true},
		{Kind: cassim.Refuse, Status: 500, Code: "InternalError"}, {Kind: cassim.Refuse, Status: 503},
	} {
		for _, from := range []v1alpha1.Credentials{w.oidc("issuer"), w.assuming(permanent())} {
			w.Inject(fault)
			store := w.store()
			store.STSRate = fast
			_, err := store.Provider(w.login(from)).Credentials(t.Context())
			if _, isProblem := errors.AsType[*credentials.Problem](err); err == nil || isProblem {
				t.Errorf("%s: got %v", fault.Kind, err)
			}
			wantSafe(t, err)
		}
	}
}

func TestAnSTSThatIsNoneGivesNoKeys(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"RequestId":"R-1","Credentials":{}}`))
	}))
	defer server.Close()
	w := newWorld(t)
	login := w.login(w.oidc("issuer"))
	login.STS.URL = server.URL
	if keys, err := w.Provider(login).Credentials(t.Context()); err == nil || keys != (rpc.Credentials{}) {
		t.Errorf("got %v, %v", keys, err)
	}
}

func TestASecretOfAnotherTypeHoldsNoAccessKey(t *testing.T) {
	for _, kind := range []corev1.SecretType{
		corev1.SecretTypeServiceAccountToken, corev1.SecretTypeTLS, corev1.SecretTypeDockerConfigJson,
		corev1.SecretTypeBasicAuth, "helm.sh/release.v1", "opaque",
	} {
		s := secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret)
		s.Type = kind
		_, err := start(s).store().Provider(in("team", permanent())).Credentials(t.Context())
		wantProblem(t, err, "SecretInvalid", `the Secret "aliyun" in the namespace "team" is of the type "`+
			string(kind)+
			`", whose values are no AccessKeys and go nowhere: put the AccessKey into one of the type Opaque`)
	}
	for _, kind := range []corev1.SecretType{"", corev1.SecretTypeOpaque} {
		s := secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret)
		s.Type = kind
		wantKeys(t, start(s).store().Provider(in("team", permanent())),
			rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
	}
}

func TestAMegabyteIsNoKey(t *testing.T) {
	for _, key := range []string{"accessKeyID", "accessKeySecret", "securityToken"} {
		pairs := map[string]string{"accessKeyID": keyID, "accessKeySecret": secret, "securityToken": token}
		pairs[key] = strings.Repeat("a", 1<<20)
		s := secretOf("team", "aliyun", "accessKeyID", pairs["accessKeyID"], "accessKeySecret",
			pairs["accessKeySecret"], "securityToken", pairs["securityToken"])
		_, err := start(s).store().Provider(in("team", temporary())).Credentials(t.Context())
		wantProblem(t, err, "SecretInvalid", `the Secret "aliyun" in the namespace "team" has more than 8192 `+
			`bytes for "`+key+`": shorten it`)
	}
}

func TestManyLoginsAtOnceWhileKeysRotateAndSessionsEnd(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	w.ownToken()
	w.STSRate = fast
	var logins []credentials.Login
	for n := range 20 {
		from := []v1alpha1.Credentials{permanent(), w.oidc("issuer"), w.oidc(""), w.assuming(permanent()),
			w.assuming(w.oidc("issuer"))}[n%5]
		login := w.login(from)
		login.STS.Region += strings.Repeat("x", n/5) // another login
		logins = append(logins, login)
	}
	var callers, others sync.WaitGroup
	stop := make(chan struct{})
	others.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			w.pass(11 * time.Second)
			w.put(t, secretOf("team", "aliyun", "accessKeyID", []string{keyID, "rotated-id"}[n%2], "accessKeySecret",
				[]string{secret, "rotated-secret"}[n%2]))
			w.ExpireSessions()
		}
	})
	for n := range 200 {
		callers.Go(func() {
			login := logins[n%len(logins)]
			provider := w.Provider(login)
			if n%7 == 0 {
				provider = credentials.Last{Store: w.Store}.Provider(login)
			}
			for range 5 {
				keys, err := provider.Credentials(t.Context())
				if problem, ok := errors.AsType[*credentials.Problem](err); err != nil &&
					(!ok || problem.Reason != "CredentialsRefused") {
					t.Errorf("got %v", err) // but a session may end before it has assumed a role
				}
				isOld, isNew := keys.AccessKeyID == keyID, keys.AccessKeyID == "rotated-id"
				if isOld && keys.AccessKeySecret != secret || isNew && keys.AccessKeySecret != "rotated-secret" {
					t.Error("the keys are mixed")
				}
				if _, err := w.call(provider); err != nil {
					wantSafe(t, err)
				}
			}
		})
	}
	callers.Wait()
	close(stop)
	others.Wait()
	w.pass(time.Minute)
	for _, login := range logins { // what was refused heals
		if _, err := w.call(w.Provider(login)); err != nil {
			w.pass(10 * time.Second)
			if _, err := w.call(w.Provider(login)); err != nil {
				w.pass(10 * time.Second)
				if _, err := w.call(w.Provider(login)); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
