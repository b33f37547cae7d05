// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"context"
	"sync"
	"testing"
	"time"

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
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret), secretOf("other", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
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

func TestTheARNOfARoleTellsTheAccount(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	wantAccount(t, w.Provider(w.login(w.oidc("issuer"))), accountID)
	wantAccount(t, w.Provider(w.login(w.assuming(permanent()))), accountID)
	w.wantCalls(asking, 0)
}

func TestOneAsksWhileOthersGoOnWithoutTheAccount(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	provider := w.Provider(w.login(permanent()))
	hang := w.Inject(cassim.Fault{Action: asking, Kind: cassim.Hang, Executed: true})
	var first sync.WaitGroup
	first.Go(func() { wantAccount(t, provider, accountID) })
	if err := w.AwaitHanging(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		wantAccount(t, provider, "")
	}
	w.Lift(hang)
	first.Wait()
	wantAccount(t, provider, accountID)
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
	wantAccount(t, w.Provider(w.login(permanent())), "")
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
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret), secretOf("stranger", "aliyun", "accessKeyID", keyID, "accessKeySecret", "guess"))
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
