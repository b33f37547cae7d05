// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

func TestKeysAreReadAsTheIssuerNamesThem(t *testing.T) {
	c := start(goodSecret(), secretOf("team", "other.name", "id", "another-id", "key.of-it", "another-secret", "token",
		"another-token"))
	store := c.store()
	wantKeys(t, store.Provider(in("team", permanent())), rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
	wantKeys(t, store.Provider(in("team", temporary())), rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret,
		SecurityToken: token})
	other := v1alpha1.Credentials{AccessKeySecretRef: &v1alpha1.AccessKeySecretRef{
		SecretReference: v1alpha1.SecretReference{Name: "other.name"}, AccessKeyIDKey: "id",
		AccessKeySecretKey: "key.of-it", SecurityTokenKey: "token",
	}}
	wantKeys(t, store.Provider(in("team", other)),
		rpc.Credentials{AccessKeyID: "another-id", AccessKeySecret: "another-secret", SecurityToken: "another-token"})
	if want := []string{"team/aliyun", "team/aliyun", "team/other.name"}; !slices.Equal(c.reads, want) {
		t.Errorf("read %q, want %q", c.reads, want)
	}
}

func TestNothingIsReadBeforeACall(t *testing.T) {
	c := start(goodSecret())
	c.store().Provider(in("team", permanent()))
	credentials.Last{Store: c.store()}.Provider(in("team", permanent()))
	if len(c.reads) > 0 {
		t.Errorf("read %q", c.reads)
	}
}

func TestWhatPastingBringsAlongIsTakenOff(t *testing.T) {
	c := start(secretOf("team", "aliyun",
		"accessKeyID", keyID+"\n", "accessKeySecret", "\r\n\t "+secret+" \r\n", "securityToken", "\n\n"+token+"\n"))
	wantKeys(t, c.store().Provider(in("team", temporary())),
		rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret, SecurityToken: token})
}

func TestARotatedKeyIsUsedByTheNextCall(t *testing.T) {
	c := start(goodSecret())
	read := c.store().Provider(in("team", permanent()))
	wantKeys(t, read, rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
	c.put(t, secretOf("team", "aliyun", "accessKeyID", "rotated-id", "accessKeySecret", "rotated-secret"))
	wantKeys(t, read, rpc.Credentials{AccessKeyID: "rotated-id", AccessKeySecret: "rotated-secret"})
}

func TestOnlyTheNamespaceOfTheIssuerIsRead(t *testing.T) {
	c := start(goodSecret(), secretOf("cert-manager", "aliyun", "accessKeyID", "cluster-id", "accessKeySecret",
		"cluster-secret"))
	store := c.store()
	wantKeys(t, store.Provider(in("team", permanent())), rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
	wantKeys(t, store.Provider(in("cert-manager", permanent())),
		rpc.Credentials{AccessKeyID: "cluster-id", AccessKeySecret: "cluster-secret"})
	for _, read := range []rpc.CredentialsProvider{store.Provider(in("stranger", permanent())),
		credentials.Last{Store: store}.Provider(in("stranger", permanent()))} {
		_, err := read.Credentials(t.Context())
		wantProblem(t, err, "SecretNotFound", `the Secret "aliyun" does not exist in the namespace `+
			`"stranger": create it`)
	}
	if want := []string{"team/aliyun", "cert-manager/aliyun", "stranger/aliyun", "stranger/aliyun"}; !slices.Equal(
		c.reads, want) {
		t.Errorf("read %q, want %q", c.reads, want)
	}
}

func TestASecretThatCannotBeUsedSaysWhatToDo(t *testing.T) {
	const at = `the Secret "aliyun" in the namespace "team" `
	tests := map[string]struct {
		pairs   []string
		message string
	}{
		"no data": {nil, at + `has no key "accessKeyID": add it`},
		"no id": {[]string{"accessKeySecret", secret, "securityToken", token},
			at + `has no key "accessKeyID": add it`},
		"no secret": {[]string{"accessKeyID", keyID, "securityToken", token}, at + `has no key ` +
			`"accessKeySecret": add it`},
		"no token": {[]string{"accessKeyID", keyID, "accessKeySecret", secret}, at + `has no key ` +
			`"securityToken": add it`},
		"another case": {[]string{"AccessKeyID", keyID, "accessKeySecret", secret}, at + `has no key ` +
			`"accessKeyID": add it`},
		"an empty id": {[]string{"accessKeyID", "", "accessKeySecret", secret}, at + `has an empty value for ` +
			`"accessKeyID": fill it in`},
		"a blank secret": {[]string{"accessKeyID", keyID, "accessKeySecret", " \n\t"}, at + `has an empty value ` +
			`for "accessKeySecret": fill it in`},
		"an empty token": {[]string{"accessKeyID", keyID, "accessKeySecret", secret, "securityToken", "\n"},
			at + `has an empty value for "securityToken": fill it in`},
		"two lines": {[]string{"accessKeyID", keyID + "\n" + secret, "accessKeySecret", secret},
			at + `has line breaks or control characters in the value for "accessKeyID": remove them`},
		"a tab": {[]string{"accessKeyID", keyID, "accessKeySecret", secret + "\t" + secret},
			at + `has line breaks or control characters in the value for "accessKeySecret": remove them`},
		"a zero byte": {[]string{"accessKeyID", keyID + "\x00", "accessKeySecret", secret},
			at + `has line breaks or control characters in the value for "accessKeyID": remove them`},
		"too long a secret": {[]string{"accessKeyID", keyID, "accessKeySecret", strings.Repeat(secret, 400)},
			at + `has more than 8192 bytes for "accessKeySecret": shorten it`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			store := start(secretOf("team", "aliyun", test.pairs...)).store()
			for _, read := range []rpc.CredentialsProvider{store.Provider(in("team", temporary())),
				credentials.Last{Store: store}.Provider(in("team", temporary()))} {
				got, err := read.Credentials(t.Context())
				wantProblem(t, err, "SecretInvalid", test.message)
				if got != (rpc.Credentials{}) {
					t.Error("half of the keys are returned")
				}
			}
		})
	}
}

func TestATokenThatIsNotAskedForIsNotMissed(t *testing.T) {
	c := start(secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret, "securityToken", ""))
	wantKeys(t, c.store().Provider(in("team", permanent())),
		rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
}

func TestWhatTheAPIServerRefusesSaysWhatToGrant(t *testing.T) {
	c := start(goodSecret())
	store := c.store()
	hold(store, "order", "team", permanent())
	// remembered
	wantKeys(t, store.Provider(in("team", permanent())), rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
	c.refuse = forbidden
	for _, read := range []rpc.CredentialsProvider{store.Provider(in("team", permanent())),
		credentials.Last{Store: store}.Provider(in("team", permanent()))} {
		_, err := read.Credentials(t.Context())
		wantProblem(t, err, "SecretForbidden",
			`the controller may not read the Secret "aliyun" in the namespace "team": grant it that: kubectl create `+
				`rolebinding cas-reads-secrets -n team --clusterrole=cas-secrets --serviceaccount=system:aliyun-issuer`)
	}
}

func TestAFailureOfTheAPIServerIsNoProblemOfTheSecret(t *testing.T) {
	c := start(goodSecret())
	store := c.store()
	wantKeys(t, store.Provider(in("team", permanent())), rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
	for _, failure := range []error{apierrors.NewInternalError(errors.New("etcd")),
		apierrors.NewTooManyRequests("later", 1), errors.New("connection refused")} {
		c.refuse = failure
		for _, read := range []rpc.CredentialsProvider{store.Provider(in("team", permanent())),
			credentials.Last{Store: store}.Provider(in("team", permanent()))} {
			_, err := read.Credentials(t.Context())
			if _, isProblem := errors.AsType[*credentials.Problem](err); isProblem || !errors.Is(err, failure) ||
				err.Error() != `read the Secret "aliyun" in the namespace "team": `+failure.Error() {
				t.Errorf("got %v", err)
			}
		}
	}
}

func TestKeysOfADeletedSecretGiveOrdersBackAndBuyNothing(t *testing.T) {
	good := goodSecret()
	c := start(good)
	store := c.store()
	hold(store, "order", "team", temporary())
	hold(store, "order", "stranger", temporary())
	buy, giveBack := store.Provider(in("team", temporary())), credentials.Last{Store: store}.Provider(
		in("team", temporary()))
	wantKeys(t, buy, rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret, SecurityToken: token})
	c.put(t, secretOf("team", "aliyun", "accessKeyID", "rotated-id", "accessKeySecret", "rotated-secret",
		"securityToken", "rotated-token"))
	last := rpc.Credentials{AccessKeyID: "rotated-id", AccessKeySecret: "rotated-secret",
		SecurityToken: "rotated-token"}
	wantKeys(t, giveBack, last)
	c.remove(t, good)

	_, err := buy.Credentials(t.Context())
	wantProblem(t, err, "SecretNotFound", `the Secret "aliyun" does not exist in the namespace "team": create it`)
	wantKeys(t, giveBack, last) // the rotated keys, and not the first ones
	_, err = credentials.Last{Store: store}.Provider(in("stranger", temporary())).Credentials(t.Context())
	wantProblem(t, err, "SecretNotFound", `the Secret "aliyun" does not exist in the namespace "stranger": create it`)
	// another reference to the same Secret: nothing was read by it
	_, err = credentials.Last{Store: store}.Provider(in("team", permanent())).Credentials(t.Context())
	wantProblem(t, err, "SecretNotFound", `the Secret "aliyun" does not exist in the namespace "team": create it`)
	// after a restart
	_, err = credentials.Last{Store: c.store()}.Provider(in("team", temporary())).Credentials(t.Context())
	wantProblem(t, err, "SecretNotFound", `the Secret "aliyun" does not exist in the namespace "team": create it`)

	c.put(t, secretOf("team", "aliyun", "accessKeyID", "", "accessKeySecret", "x", "securityToken", "y"))
	_, err = giveBack.Credentials(t.Context()) // the Secret is there again, so nothing remembered is used
	wantProblem(t, err, "SecretInvalid", `the Secret "aliyun" in the namespace "team" has an empty value for `+
		`"accessKeyID": fill it in`)
}

// hold lets keys be remembered for an Order.
func hold(store *credentials.Store, holder types.UID, namespace string, from v1alpha1.Credentials) {
	store.Hold(holder, credentials.Needs{Namespace: namespace, AccessKeys: []v1alpha1.AccessKeySecretRef{
		*from.AccessKeySecretRef}})
}

// TestKeysAreRememberedAsLongAsAnOrderHoldsThem lets issuers and orders read a Secret that is deleted then.
func TestKeysAreRememberedAsLongAsAnOrderHoldsThem(t *testing.T) {
	good, keys := goodSecret(), rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret}
	c := start(good)
	store := c.store()
	last := credentials.Last{Store: store}.Provider(in("team", permanent()))
	wantKeys(t, last, keys) // as the check of an issuer does, which holds nothing
	c.remove(t, good)
	wantNone := func() {
		t.Helper()
		_, err := last.Credentials(t.Context())
		wantProblem(t, err, "SecretNotFound", `the Secret "aliyun" does not exist in the namespace "team": create it`)
	}
	wantNone()
	c.put(t, goodSecret())
	hold(store, "first", "team", permanent())
	hold(store, "second", "team", permanent())
	wantKeys(t, last, keys)
	c.remove(t, good)
	store.Drop("first")
	store.Drop("stranger")
	wantKeys(t, last, keys)
	store.Drop("second")
	wantNone()
	hold(store, "third", "team", permanent())
	wantNone() // what was dropped is gone
}

func TestKeysThatWereRefusedAreNotRemembered(t *testing.T) {
	bad := secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", "")
	c := start(bad)
	store := c.store()
	hold(store, "order", "team", permanent())
	giveBack := credentials.Last{Store: store}.Provider(in("team", permanent()))
	_, err := giveBack.Credentials(t.Context())
	wantProblem(t, err, "SecretInvalid", `the Secret "aliyun" in the namespace "team" has an empty value for `+
		`"accessKeySecret": fill it in`)
	c.remove(t, bad)
	_, err = giveBack.Credentials(t.Context())
	wantProblem(t, err, "SecretNotFound", `the Secret "aliyun" does not exist in the namespace "team": create it`)
}

func TestTheVersionChangesWithTheSecret(t *testing.T) {
	s := goodSecret()
	s.UID = "first"
	c := start(s)
	store := c.store()
	version := func() string { return store.Version(t.Context(), "team", "aliyun") }
	first := version()
	if first == "" || version() != first {
		t.Errorf("got %q, and then %q", first, version())
	}
	s.Data["accessKeyID"] = []byte("rotated-id")
	c.put(t, s)
	second := version()
	if second == "" || second == first {
		t.Errorf("after a change got %q", second)
	}
	c.remove(t, s)
	if got := version(); got != "" {
		t.Errorf("of a Secret that is gone got %q", got)
	}
	again := goodSecret()
	again.UID = "second"
	restored := start(again) // with the resourceVersion of the first, as after a restore of the cluster's store
	if got := restored.store().Version(t.Context(), "team", "aliyun"); got == "" || got == first || got == second {
		t.Errorf("of a new Secret got %q", got)
	}
	for _, refused := range []error{forbidden, notFound, errors.New("connection refused")} {
		c.refuse = refused
		if got := version(); got != "" {
			t.Errorf("%v: got %q", refused, got)
		}
	}
}

func TestManyCallsReadAtOnce(t *testing.T) {
	store := &credentials.Store{Reader: start(goodSecret())}
	var done sync.WaitGroup
	for range 20 {
		done.Go(func() {
			wantKeys(t, store.Provider(in("team", permanent())),
				rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret})
			wantKeys(t, credentials.Last{Store: store}.Provider(in("team", temporary())),
				rpc.Credentials{AccessKeyID: keyID, AccessKeySecret: secret, SecurityToken: token})
		})
	}
	done.Wait()
}
