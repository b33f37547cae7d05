// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"context"
	"testing"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiwait "k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// identityTrouble is something that keeps the controller from signing in, and that somebody mends.
type identityTrouble struct {
	// credentials are good ones before it begins, and after it has been mended.
	credentials v1alpha1.Credentials
	before      func(*env.Env)
	begin, mend func(*env.Env)
	// isHarmless tells that an order with an id does not notice it, since it keeps what it was made with.
	isHarmless bool
	reason     string
}

func editIssuer(change func(*v1alpha1.Credentials)) func(*env.Env) {
	return func(e *env.Env) {
		issuer := theIssuer(e)
		change(&issuer.Spec.Credentials)
		if err := e.Client.Update(e.T.Context(), issuer); err != nil {
			e.T.Fatal(err)
		}
	}
}

func theIssuer(e *env.Env) *v1alpha1.AliyunIssuer {
	e.T.Helper()
	issuer := &v1alpha1.AliyunIssuer{}
	if err := e.Client.Get(e.T.Context(), client.ObjectKey{Namespace: e.Namespace, Name: gen.IssuerName},
		issuer); err != nil {
		e.T.Fatal(err)
	}
	return issuer
}

// anew ends the sessions that there are, so that the next call has to sign in.
func anew(begin func(*env.Env)) func(*env.Env) {
	return func(e *env.Env) {
		begin(e)
		e.Simulator.ExpireSessions()
	}
}

// grant lets the user of mayRequestNoTokens request those of the ServiceAccount.
func grant(e *env.Env) {
	object := metav1.ObjectMeta{Namespace: e.Namespace, Name: "tokens"}
	e.Create(&rbacv1.Role{ObjectMeta: object, Rules: []rbacv1.PolicyRule{{
		Verbs: []string{"create"}, APIGroups: []string{""}, Resources: []string{"serviceaccounts/token"},
		ResourceNames: []string{holder},
	}}})
	e.Create(&rbacv1.RoleBinding{
		ObjectMeta: object, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: object.Name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: e.Namespace, Name: "controller"}},
	})
	untilGranted(e, true)
}

func revoke(e *env.Env) {
	remove(e, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tokens"}})
	remove(e, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: "tokens"}})
	untilGranted(e, false)
}

// untilGranted waits until the API server has learned what the controller may do, which takes it some milliseconds: in
// the time of a life, that may be more than a minute.
func untilGranted(e *env.Env, isGranted bool) {
	e.T.Helper()
	as := env.ClientAs(e.T, "system:serviceaccount:"+e.Namespace+":controller")
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: holder}}
	learned := func(ctx context.Context) (bool, error) {
		err := as.SubResource("token").Create(ctx, account, &authenticationv1.TokenRequest{}, client.DryRunAll)
		return apierrors.IsForbidden(err) != isGranted, nil
	}
	err := apiwait.PollUntilContextTimeout(e.T.Context(), 10*time.Millisecond, env.Patience, true, learned)
	if err != nil {
		e.T.Fatal(err)
	}
}

func identityTroubles() map[string]identityTrouble {
	token, contract := oidc(holder), assumed("deputy", "contract:42")
	refuse := func(code string, status int) func(*env.Env) {
		return anew(func(e *env.Env) {
			e.Simulator.Inject(cassim.Fault{Action: "AssumeRoleWithOIDC", Kind: cassim.Refuse, Status: status,
				Code: code, Message: "because", Times: -1})
		})
	}
	deny := func(actions ...string) func(*env.Env) {
		return func(e *env.Env) { e.Simulator.SetRole("team", func(r *cassim.Role) { r.Denied = actions }) }
	}
	askFor := func(externalID string) func(*env.Env) {
		return func(e *env.Env) { e.Simulator.SetRole("deputy", func(r *cassim.Role) { r.ExternalID = externalID }) }
	}
	skew := func(ahead time.Duration) func(*env.Env) {
		return func(e *env.Env) { e.Simulator.SetSkew(ahead) }
	}
	return map[string]identityTrouble{
		"the role does not trust the token": {
			credentials: token, before: trusted, mend: trust, reason: v1alpha1.ReasonRoleRefused,
			begin: anew(func(e *env.Env) { e.Simulator.SetRole("team", func(r *cassim.Role) { r.OIDC = nil }) }),
		},
		"the issuer names another audience": {
			credentials: token, before: trusted, reason: v1alpha1.ReasonRoleRefused, isHarmless: true,
			begin: editIssuer(func(c *v1alpha1.Credentials) { c.OIDC.ServiceAccountRef.Audience = "another-audience" }),
			mend:  editIssuer(func(c *v1alpha1.Credentials) { c.OIDC.ServiceAccountRef.Audience = audience }),
		},
		"the issuer names another contract": {
			credentials: contract, reason: v1alpha1.ReasonRoleRefused, isHarmless: true,
			begin: editIssuer(func(c *v1alpha1.Credentials) { c.AssumeRole.ExternalID = "contract:43" }),
			mend:  editIssuer(func(c *v1alpha1.Credentials) { c.AssumeRole.ExternalID = "contract:42" }),
		},
		"the role asks for another contract": {
			credentials: contract, reason: v1alpha1.ReasonRoleRefused,
			begin: anew(askFor("contract:43")), mend: askFor("contract:42"),
		},
		"the ServiceAccount is gone": {
			credentials: token, before: trusted, reason: v1alpha1.ReasonServiceAccountNotFound,
			begin: anew(func(e *env.Env) { remove(e, serviceAccount(e)) }),
			mend:  func(e *env.Env) { e.Create(serviceAccount(e)) },
		},
		"the controller may not request tokens": {
			credentials: token, reason: v1alpha1.ReasonTokenForbidden, begin: anew(revoke), mend: grant,
			before: func(e *env.Env) { trusted(e); grant(e); mayRequestNoTokens(e) },
		},
		"STS is down": {credentials: token, before: trusted, begin: refuse("ServiceUnavailable", 503),
			mend: lift, reason: v1alpha1.ReasonCASUnavailable},
		"STS throttles": {credentials: token, before: trusted, begin: refuse("Throttling.User", 400),
			mend: lift},
		"the role may not describe": {credentials: token, before: trusted,
			begin: deny("DescribePackageState", "DescribeCertificateState"), mend: deny(),
			reason: v1alpha1.ReasonPermissionDenied},
		"the clocks differ": {credentials: token, before: trusted, begin: anew(skew(time.Hour)), mend: skew(0),
			reason: v1alpha1.ReasonClockSkew},
		"the clocks differ a little": {credentials: token, before: trusted, begin: anew(skew(12 * time.Minute)),
			mend: skew(0), reason: v1alpha1.ReasonRoleRefused},
	}
}

// TestAnIdentityThatIsMendedHealsByItself lets each trouble last for twenty minutes, from the beginning and under an
// order that waits for the CA. Nobody restarts anything, the order stays the one that was paid for, and its issuer
// becomes ready again.
func TestAnIdentityThatIsMendedHealsByItself(t *testing.T) {
	for name, trouble := range identityTroubles() {
		for when, isLater := range map[string]bool{"from the beginning": false, "under an order": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				options := withRoles(t)
				options.CADelay = 30 * time.Minute
				e := env.New(t, options)
				if trouble.before != nil {
					trouble.before(e)
				}
				e.Create(gen.Issuer(e.Namespace, e.Simulator.URL(),
					func(i *v1alpha1.AliyunIssuer) { i.Spec.Credentials = trouble.credentials }))
				if !isLater {
					trouble.begin(e)
				}
				e.Create(gen.Request(e.Namespace, "www", gen.CSR(gen.Key())))
				e.Decide("www", cmapi.CertificateRequestConditionApproved)
				e.Settle()
				if isLater {
					trouble.begin(e)
				}
				if e.Pass(20 * time.Minute); isLater && trouble.reason != "" &&
					(heldFor(e) == trouble.reason) == trouble.isHarmless {
					t.Errorf("the order is held for %s: %s", heldFor(e), said(e))
				}
				if is := readyOf(e); trouble.reason != "" && trouble.reason != v1alpha1.ReasonCASUnavailable &&
					is.Reason != trouble.reason {
					t.Errorf("the issuer is not ready for %s, want %s: %s", is.Reason, trouble.reason, is.Message)
				}
				trouble.mend(e)
				e.Until(time.Minute, func() bool { return readyOf(e).Status == metav1.ConditionTrue })
				e.Until(time.Hour, isReady(e))
				billed(t, e, 1)
				unharmed(t, e)
				hasNoSecret(t, "what users read", said(e))
				hasNoSecret(t, "the log", e.Logs())
			})
		}
	}
}

func readyOf(e *env.Env) metav1.Condition {
	e.T.Helper()
	return *meta.FindStatusCondition(theIssuer(e).Status.Conditions, v1alpha1.ConditionReady)
}
