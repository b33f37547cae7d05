// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
)

func TestTokensAreRequestedForOneAudienceAndTenMinutes(t *testing.T) {
	w := newWorld(t)
	provider := w.Provider(w.login(w.oidc("issuer")))
	w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
	w.pass(56 * time.Minute)
	w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
	request := `token of *v1.ServiceAccount team/issuer for ["sts.aliyuncs.com"], 600 seconds, bound to nil`
	if want := []string{request, request}; !slices.Equal(w.tokens, want) {
		t.Errorf("requested %q, want %q", w.tokens, want)
	}
	if len(w.reads) > 0 {
		t.Errorf("read %q", w.reads)
	}
}

func TestATokenThatTheAPIServerRefusesSaysWhatToDo(t *testing.T) {
	accounts := schema.GroupResource{Resource: "serviceaccounts"}
	const grant = `the controller may not request tokens for the ServiceAccount "issuer" in the namespace "team": ` +
		`grant it that, and no more: ` +
		"kubectl create role aliyun-issuer-token-issuer -n team --verb=create --resource=serviceaccounts/token " +
		"--resource-name=issuer && " +
		"kubectl create rolebinding aliyun-issuer-token-issuer -n team --role=aliyun-issuer-token-issuer "
	const correct = `the API server gives no token for the ServiceAccount "issuer" in the namespace "team" with the ` +
		`audience of serviceAccountRef: correct it`
	denied := apierrors.NewForbidden(accounts, "issuer", errors.New("no create"))
	for name, test := range map[string]struct {
		refused error
		self    credentials.Self
		want    credentials.Problem
	}{
		"it does not exist": {apierrors.NewNotFound(accounts, "issuer"), "", credentials.Problem{
			Reason: "ServiceAccountNotFound", Message: `the ServiceAccount "issuer" does not exist in the namespace ` +
				`"team": create it, or correct serviceAccountRef`}},
		"it is forbidden to a ServiceAccount": {denied, "system:serviceaccount:system:aliyun-issuer",
			credentials.Problem{
				Reason: "TokenForbidden", Message: grant + "--serviceaccount=system:aliyun-issuer"}},
		"it is forbidden to a user": {denied, "alice@example.com", credentials.Problem{
			Reason: "TokenForbidden", Message: grant + "--user=alice@example.com"}},
		"it is forbidden to an odd user": {denied, "system:serviceaccount:nothing", credentials.Problem{
			Reason: "TokenForbidden", Message: grant + "--user=system:serviceaccount:nothing"}},
		"it is forbidden to nobody knows whom": {denied, "", credentials.Problem{
			Reason: "TokenForbidden", Message: grant +
				"--serviceaccount=<namespace>:<ServiceAccount of aliyun-issuer>"}},
		"it is invalid": {apierrors.NewInvalid(schema.GroupKind{Kind: "TokenRequest"}, "issuer", nil), "",
			credentials.Problem{
				Reason: "TokenForbidden", Message: correct}},
		"it is a bad request": {apierrors.NewBadRequest("audience"), "", credentials.Problem{
			Reason: "TokenForbidden", Message: correct}},
	} {
		w := newWorld(t)
		w.Self, w.refuseToken = test.self, test.refused
		if problem := problemOf(t, w.Provider(w.login(w.oidc("issuer")))); problem != test.want {
			t.Errorf("%s:\ngot  %s: %s\nwant %s: %s", name, problem.Reason, problem.Message, test.want.Reason,
				test.want.Message)
		}
		w.wantCalls("AssumeRoleWithOIDC", 0)
	}
}

func TestAFailureOfTheAPIServerIsNoProblemOfTheServiceAccount(t *testing.T) {
	for _, failure := range []error{apierrors.NewInternalError(errors.New("etcd")),
		apierrors.NewTooManyRequests("later", 1), errors.New("connection refused")} {
		w := newWorld(t)
		w.refuseToken = failure
		provider := w.Provider(w.login(w.oidc("issuer")))
		_, err := provider.Credentials(t.Context())
		if _, isProblem := errors.AsType[*credentials.Problem](err); isProblem || !errors.Is(err, failure) ||
			err.Error() != `request a token for the ServiceAccount "issuer" in the namespace "team": `+failure.Error() {
			t.Errorf("got %v", err)
		}
		w.refuseToken = nil
		w.pass(10 * time.Second)
		w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
	}
}

func TestTheTokenOfThePodIsReadAnewEachTime(t *testing.T) {
	w := newWorld(t)
	provider := w.Provider(w.login(w.oidc("")))
	const absent = "the controller's Pod has no token to exchange: set oidcToken.enabled of the Helm chart, or let " +
		"the webhook of ACK inject it, or name a serviceAccountRef"
	const unreadable = "the token of the controller's Pod cannot be read (ALIBABA_CLOUD_OIDC_TOKEN_FILE): mount it " +
		"readable for the controller's user"
	want := func(message string) {
		t.Helper()
		w.pass(10 * time.Second)
		want := credentials.Problem{Reason: "TokenUnavailable", Message: message}
		if problem := problemOf(t, provider); problem != want {
			t.Errorf("got %+v, want %s", problem, message)
		}
	}
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "")
	want(absent)
	file := filepath.Join(t.TempDir(), "token")
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", file)
	want(unreadable)
	w.write(file, " \n")
	want(unreadable)
	w.wantCalls("AssumeRoleWithOIDC", 0)

	w.write(file, w.token("stranger", "stranger", audience))
	w.pass(10 * time.Second)
	if problem := problemOf(t, provider); problem.Reason != "RoleRefused" {
		t.Errorf("the token of another: %+v", problem)
	}
	w.write(file, w.token("system", "aliyun-issuer", audience)+"\n") // the kubelet has rotated it
	w.pass(10 * time.Second)
	w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w.wantCall(provider, "assumed-role/issuer/aliyun-issuer")
	if len(w.tokens) > 0 {
		t.Errorf("requested %q", w.tokens)
	}
}
