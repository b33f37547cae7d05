// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

const refusedKey = `the AccessKey in the Secret "aliyun" in the namespace "team" is refused ` +
	`(InvalidAccessKeyId.NotFound: Specified access key is not found): put a valid one there`

// TestAKeyThatWasRefusedIsNotTriedByEverybody counts the calls of orders that wait for another key.
func TestAKeyThatWasRefusedIsNotTriedByEverybody(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	provider, others := w.Provider(w.login(permanent())), w.Provider(w.login(permanent()))
	if _, err := w.call(provider); err != nil {
		t.Fatal(err)
	}
	w.RotateKey(keyID, cassim.Key{ID: "newer-id", Secret: "newer-secret"})
	before := len(w.Requests())
	for range 10 {
		for _, p := range []rpc.CredentialsProvider{provider, others} {
			_, err := w.call(p)
			if problem, ok := errors.AsType[*credentials.Problem](err); !ok || problem.Reason != "CredentialsRefused" ||
				problem.Message != refusedKey {
				t.Fatalf("got %v, want %s", problem, refusedKey)
			}
		}
	}
	if calls := len(w.Requests()) - before; calls != 1 {
		t.Errorf("%d calls were made with a key that is refused, want one", calls)
	}
	w.pass(30 * time.Second)
	if _, err := w.call(provider); err == nil || len(w.Requests())-before != 2 {
		t.Errorf("after half a minute the key is not tried again: %v", err)
	}
	w.put(t, secretOf("team", "aliyun", "accessKeyID", "newer-id", "accessKeySecret", "newer-secret"))
	if _, err := w.call(provider); err != nil {
		t.Errorf("the new key is not used at once: %v", err)
	}
}

// TestAKeyThatIsEnabledAgainServesAllOnceAnIssuerHasFoundOut lets the check of an issuer try what nobody else may.
func TestAKeyThatIsEnabledAgainServesAllOnceAnIssuerHasFoundOut(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret))
	login := w.login(permanent())
	w.SetKeyDisabled(keyID, true)
	if _, err := w.Identity(t.Context(), login); err == nil {
		t.Fatal("the key is disabled and accepted")
	}
	w.SetKeyDisabled(keyID, false)
	if _, err := w.call(w.Provider(login)); err == nil {
		t.Fatal("everybody tries the key")
	}
	if _, err := w.Identity(t.Context(), login); err != nil {
		t.Fatal(err)
	}
	if _, err := w.call(w.Provider(login)); err != nil {
		t.Errorf("the key is good, and is not used: %v", err)
	}
}

// TestSomebodyElsesWrongCopyOfAKeyHoldsNobodyElseUp is about two Secrets with one AccessKey id.
func TestSomebodyElsesWrongCopyOfAKeyHoldsNobodyElseUp(t *testing.T) {
	w := newWorld(t, secretOf("team", "aliyun", "accessKeyID", keyID, "accessKeySecret", secret),
		secretOf("other", "aliyun", "accessKeyID", keyID, "accessKeySecret", "a guess"))
	wrong := w.login(permanent())
	wrong.Namespace = "other"
	if _, err := w.call(w.Provider(wrong)); err == nil {
		t.Fatal("a guess was accepted")
	}
	if _, err := w.call(w.Provider(w.login(permanent()))); err != nil {
		t.Errorf("the owner of the key is refused: %v", err)
	}
}
