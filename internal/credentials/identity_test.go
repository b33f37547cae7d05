// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// wantAccount signs in, which has to work, and wants the keys to be counted under this account.
func wantAccount(t *testing.T, provider rpc.CredentialsProvider, want string) {
	t.Helper()
	if keys, err := provider.Credentials(t.Context()); err != nil || keys.Account != want {
		t.Errorf("the account is %q, %v, want %q", keys.Account, err, want)
	}
}

const asking = "GetCallerIdentity"

func TestSTSIsAskedOnceWhoseKeysTheyAre(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret),
		secretOf("other", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	provider, other := w.Provider(w.login(permanent())), w.login(permanent())
	other.Namespace = "other"
	for range 3 {
		wantAccount(t, provider, accountID)
		wantAccount(t, w.Provider(other), accountID)
		w.pass(23 * time.Hour)
	}
	w.wantCalls(asking, 1)
	w.pass(2 * time.Hour) // after which nobody has used it for a day
	wantAccount(t, provider, accountID)
	w.wantCalls(asking, 2)
	w.put(t, secretOf("team", "aliyun", "accessKeyID", "rotated-id", "accessKeySecret", "rotated-secret"))
	wantAccount(t, provider, accountID)
	w.wantCalls(asking, 3)
}

func TestWhatTheCheckOfAnIssuerIsToldIsNotAskedAgain(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	if _, err := w.Identity(t.Context(), w.login(permanent())); err != nil {
		t.Fatal(err)
	}
	wantAccount(t, w.Provider(w.login(permanent())), accountID)
	w.wantCalls(asking, 1)
}

// TestSTSIsAskedOncePerSessionWhoseItIs has an hour pass by quarters, in which the session is renewed once.
func TestSTSIsAskedOncePerSessionWhoseItIs(t *testing.T) {
	for name, from := range map[string]func(*world) v1alpha1.Credentials{
		"the role of a token":              func(w *world) v1alpha1.Credentials { return w.oidc("issuer") },
		"a role on top of an AccessKey":    func(w *world) v1alpha1.Credentials { return w.assuming(permanent()) },
		"a role on top of that of a token": func(w *world) v1alpha1.Credentials { return w.assuming(w.oidc("issuer")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
			login := w.login(from(w))
			for range 4 {
				for range 3 {
					wantAccount(t, w.Provider(login), accountID)
				}
				w.pass(15 * time.Minute)
			}
			w.wantCalls(asking, 1)
			wantAccount(t, w.Provider(login), accountID)
			w.wantCalls(asking, 2)
		})
	}
}

// TestTheARNThatATenantWritesIsNoAccount names a role of somebody else's account, at an STS that gives keys for it.
func TestTheARNThatATenantWritesIsNoAccount(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	w.Inject(cassim.Fault{Action: asking, Kind: cassim.DropReply, Times: -1})
	for _, from := range []v1alpha1.Credentials{w.oidc("issuer"), w.assuming(permanent())} {
		wantAccount(t, w.Provider(w.login(from)), "")
	}
}

func TestAnAccountIsWorthWhatTheSTSIsThatHasToldIt(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	login := w.login(permanent())
	if keys, err := w.Provider(login).Credentials(t.Context()); err != nil || keys.Realm != login.STS.Realm() ||
		keys.Realm == rpc.AlibabaCloud {
		t.Errorf("the realm is %q, %v", keys.Realm, err)
	}
	w.Inject(cassim.Fault{Action: asking, Kind: cassim.DropReply, Times: -1})
	if keys, err := w.Provider(w.login(w.oidc("issuer"))).Credentials(t.Context()); err != nil || keys.Realm != "" {
		t.Errorf("the realm of nobody's word is %q, %v", keys.Realm, err)
	}
}

func TestAllWaitForTheOneWhoAsks(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	provider := w.Provider(w.login(permanent()))
	hang := w.Inject(cassim.Fault{Action: asking, Kind: cassim.Hang, Executed: true})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { wantAccount(t, provider, accountID) })
	}
	if err := w.AwaitHanging(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	w.Lift(hang)
	all.Wait()
	w.wantCalls(asking, 1)
}

func TestAfterAFailureNobodyAsksForFiveMinutes(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	provider := w.Provider(w.login(permanent()))
	w.Inject(cassim.Fault{Action: asking, Kind: cassim.DropReply, Times: 2})
	for n := 1; n <= 2; n++ {
		wantAccount(t, provider, "")
		w.pass(5*time.Minute - time.Nanosecond)
		wantAccount(t, provider, "")
		w.wantCalls(asking, n)
		w.pass(time.Nanosecond)
	}
	wantAccount(t, provider, accountID)
	w.wantCalls(asking, 3)
}

func TestACallWaitsThreeSecondsForItsAccountAtMost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	w.Inject(cassim.Fault{Action: asking, Kind: cassim.Hang, Times: -1})
	began := time.Now()
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { wantAccount(t, w.Provider(w.login(permanent())), "") })
	}
	all.Wait()
	if took := time.Since(began); took < 2*time.Second || took > 6*time.Second {
		t.Errorf("it waited %s", took)
	}
}

func TestACallThatHasEndedSaysNothingAboutSTS(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	provider := w.Provider(w.login(permanent()))
	hang := w.Inject(cassim.Fault{Action: asking, Kind: cassim.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() { _, _ = provider.Credentials(ctx) })
	if err := w.AwaitHanging(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	gone.Wait()
	w.Lift(hang)
	wantAccount(t, provider, accountID)
}

func TestAnAccessKeyIDAloneTellsNothingAndSpoilsNothing(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret),
		secretOf("stranger", "aliyun", "accessKeyID", keyID, "accessKeySecret", "guess"))
	login := w.login(permanent())
	login.Namespace = "stranger"
	owner, stranger := w.Provider(w.login(permanent())), w.Provider(login)
	wantAccount(t, stranger, "")
	wantAccount(t, owner, accountID)
	wantAccount(t, stranger, "")

	elsewhere := w.login(permanent()) // an STS of a tenant's own says nothing about keys at another
	elsewhere.STS.URL = "http://127.0.0.1:1"
	wantAccount(t, w.Provider(elsewhere), "")
	w.wantCalls(asking, 2)
}
